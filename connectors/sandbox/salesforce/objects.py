"""The standard objects of the sandbox's org, as Salesforce describes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.sandbox.salesforce.schema import Field, ObjectType, PicklistValue

STAGES = (
    # name, probability, closed, won, forecast category (API name), forecast category (label), active
    ("Prospecting", 10, False, False, "Pipeline", "Pipeline"),
    ("Engaging", 50, False, False, "BestCase", "Best Case"),
    ("Closed Won", 100, True, True, "Closed", "Closed"),
    ("Closed Lost", 0, True, False, "Omitted", "Omitted"),
)


def text(name: str, label: str, length: int = 255, **more: Any) -> Field:
    """A one-line text."""
    return Field(name, label, more.pop("type", "string"), length, **more)


def long_text(name: str, label: str, length: int = 32000, **more: Any) -> Field:
    """A text area, which neither filters nor sorts."""
    return Field(
        name,
        label,
        "textarea",
        length,
        filterable=False,
        sortable=False,
        groupable=False,
        aggregatable=False,
        **more,
    )


def choice(name: str, label: str, values: tuple[str, ...], length: int = 255, **more: Any) -> Field:
    """A picklist."""
    default = more.get("default")
    choices = tuple(PicklistValue(value, default=value == default) for value in values)
    return Field(name, label, more.pop("type", "picklist"), length, picklist=choices, **more)


def flag(name: str, label: str, *, default: bool = False, **more: Any) -> Field:
    """A checkbox, which is never null."""
    return Field(name, label, "boolean", nillable=False, default=default, **more)


def number(name: str, label: str, precision: int = 18, scale: int = 0, **more: Any) -> Field:
    """A number with decimals, or an amount of money."""
    return Field(
        name, label, more.pop("type", "double"), precision=precision, scale=scale, groupable=False, **more
    )


def integer(name: str, label: str, **more: Any) -> Field:
    """A whole number of up to eight digits."""
    return Field(name, label, "int", precision=8, **more)


def money(name: str, label: str, **more: Any) -> Field:
    """An amount in the org's currency."""
    return number(name, label, 18, 2, type="currency", **more)


def day(name: str, label: str, **more: Any) -> Field:
    """A date."""
    return Field(name, label, "date", **more)


def moment(name: str, label: str, **more: Any) -> Field:
    """A date and time."""
    return Field(name, label, "datetime", groupable=False, **more)


def lookup(
    name: str, label: str, *targets: str, relationship: str, children: str | None = None, **more: Any
) -> Field:
    """A reference to another record; `children` is the name of the way back."""
    return Field(
        name,
        label,
        "reference",
        18,
        reference_to=targets,
        relationship=relationship,
        children=children,
        **more,
    )


READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}


def _system(*, created: bool = True, deleted: bool = True) -> list[Field]:
    found = [Field("Id", "ID", "id", 18, nillable=False, id_lookup=True, **READ_ONLY)]
    if deleted:
        found.append(flag("IsDeleted", "Deleted", **READ_ONLY))
    if created:
        found += [
            moment("CreatedDate", "Created Date", nillable=False, **READ_ONLY),
            lookup(
                "CreatedById", "Created By ID", "User", relationship="CreatedBy", nillable=False, **READ_ONLY
            ),
            moment("LastModifiedDate", "Last Modified Date", nillable=False, **READ_ONLY),
            lookup(
                "LastModifiedById",
                "Last Modified By ID",
                "User",
                relationship="LastModifiedBy",
                nillable=False,
                **READ_ONLY,
            ),
        ]
    return [*found, moment("SystemModstamp", "System Modstamp", nillable=False, **READ_ONLY)]


def _owner(*targets: str) -> Field:
    return lookup("OwnerId", "Owner ID", *(targets or ("User",)), relationship="Owner", nillable=False)


def _address(prefix: str, label: str) -> list[Field]:
    compound = f"{prefix}Address"
    parts = [
        text(f"{prefix}Street", f"{label} Street", 255, type="textarea"),
        text(f"{prefix}City", f"{label} City", 40),
        text(f"{prefix}State", f"{label} State/Province", 80),
        text(f"{prefix}PostalCode", f"{label} Zip/Postal Code", 20),
        text(f"{prefix}Country", f"{label} Country", 80),
        number(f"{prefix}Latitude", f"{label} Latitude", 18, 15),
        number(f"{prefix}Longitude", f"{label} Longitude", 18, 15),
        choice(
            f"{prefix}GeocodeAccuracy",
            f"{label} Geocode Accuracy",
            (
                "Address",
                "NearAddress",
                "Block",
                "Street",
                "ExtendedZip",
                "Zip",
                "Neighborhood",
                "City",
                "County",
                "State",
                "Unknown",
            ),
            40,
            restricted=True,
        ),
    ]
    whole = Field(
        compound,
        f"{label} Address",
        "address",
        sortable=False,
        groupable=False,
        aggregatable=False,
        **READ_ONLY,
    )
    return [*(replace(part, compound=compound) for part in parts), whole]


def _seen() -> list[Field]:
    return [
        moment("LastViewedDate", "Last Viewed Date", **READ_ONLY),
        moment("LastReferencedDate", "Last Referenced Date", **READ_ONLY),
    ]


def _person_name() -> list[Field]:
    return [
        text("LastName", "Last Name", 80, nillable=False, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        text("Name", "Full Name", 121, nillable=False, name_field=True, **READ_ONLY),
    ]


def _object(
    name: str, label: str, plural: str, prefix: str | None, fields: list[Field], **more: Any
) -> ObjectType:
    return ObjectType(name, label, plural, prefix, {one.name: one for one in fields}, **more)


INDUSTRIES = (
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
)
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
CATEGORIES = ("Omitted", "Pipeline", "Best Case", "Forecast", "Closed")
CATEGORY_NAMES = ("Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed")
ZONES = (
    "GMT",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Stockholm",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
)
LOCALES = ("en_US", "en_GB", "de_DE", "sv_SE")

ORGANIZATION = _object(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    [
        *_system(deleted=False),
        text("Name", "Name", 80, nillable=False, name_field=True),
        text("Division", "Division", 80),
        *_address("", ""),
        text("Phone", "Phone", 40, type="phone"),
        text("PrimaryContact", "Primary Contact", 80),
        choice("DefaultLocaleSidKey", "Locale", LOCALES, 40, nillable=False, restricted=True),
        choice("TimeZoneSidKey", "Time Zone", ZONES, 40, nillable=False, restricted=True),
        choice("LanguageLocaleKey", "Language", ("en_US", "de", "sv"), 40, nillable=False, restricted=True),
        integer("FiscalYearStartMonth", "Fiscal Year Starts In", **READ_ONLY),
        text("InstanceName", "Instance Name", 5, **READ_ONLY),
        flag("IsSandbox", "Is Sandbox", **READ_ONLY),
        choice(
            "OrganizationType",
            "Edition",
            ("Developer Edition", "Enterprise Edition", "Unlimited Edition"),
            40,
            **READ_ONLY,
        ),
        text("NamespacePrefix", "Namespace Prefix", 15, **READ_ONLY),
        moment("TrialExpirationDate", "Trial Expiration Date", **READ_ONLY),
    ],
    createable=False,
    deletable=False,
    undeletable=False,
    replicateable=False,
)

PROFILE = _object(
    "Profile",
    "Profile",
    "Profile",
    "00e",
    [
        *_system(deleted=False),
        text("Name", "Name", 255, nillable=False, name_field=True),
        choice("UserType", "User Type", ("Standard",), 40, **READ_ONLY),
        text("Description", "Description", 255),
    ],
    createable=False,
    updateable=False,
    deletable=False,
    setup=True,
    layoutable=False,
)

USER_ROLE = _object(
    "UserRole",
    "Role",
    "Role",
    "00E",
    [
        *_system(created=False, deleted=False),
        text("Name", "Name", 80, nillable=False, name_field=True),
        lookup("ParentRoleId", "Parent Role ID", "UserRole", relationship="ParentRole"),
        text("DeveloperName", "Developer Name", 80),
        moment("LastModifiedDate", "Last Modified Date", nillable=False, **READ_ONLY),
        lookup("LastModifiedById", "Last Modified By ID", "User", relationship="LastModifiedBy", **READ_ONLY),
    ],
    setup=True,
    layoutable=False,
)

USER = _object(
    "User",
    "User",
    "Users",
    "005",
    [
        *_system(deleted=False),
        text("Username", "Username", 80, nillable=False, unique=True, id_lookup=True),
        *_person_name(),
        text("CompanyName", "Company Name", 80),
        text("Division", "Division", 80),
        text("Department", "Department", 80),
        text("Title", "Title", 80),
        *_address("", ""),
        text("Email", "Email", 128, type="email", nillable=False),
        text("Alias", "Alias", 8, nillable=False),
        flag("IsActive", "Active", default=True),
        choice("TimeZoneSidKey", "Time Zone", ZONES, 40, nillable=False, restricted=True, default="GMT"),
        choice("LocaleSidKey", "Locale", LOCALES, 40, nillable=False, restricted=True, default="en_US"),
        choice(
            "EmailEncodingKey",
            "Email Encoding",
            ("UTF-8", "ISO-8859-1"),
            40,
            nillable=False,
            restricted=True,
            default="UTF-8",
        ),
        choice(
            "LanguageLocaleKey",
            "Language",
            ("en_US", "de", "sv"),
            40,
            nillable=False,
            restricted=True,
            default="en_US",
        ),
        lookup(
            "ProfileId", "Profile ID", "Profile", relationship="Profile", children="Users", nillable=False
        ),
        lookup("UserRoleId", "Role ID", "UserRole", relationship="UserRole", children="Users"),
        lookup("ManagerId", "Manager ID", "User", relationship="Manager", children="ManagedUsers"),
        choice("UserType", "User Type", ("Standard", "AutomatedProcess"), 40, **READ_ONLY),
        text("FederationIdentifier", "SAML Federation ID", 512, unique=True),
        moment("LastLoginDate", "Last Login", **READ_ONLY),
    ],
    deletable=False,
)

ACCOUNT = _object(
    "Account",
    "Account",
    "Accounts",
    "001",
    [
        *_system(),
        lookup("MasterRecordId", "Master Record ID", "Account", relationship="MasterRecord", **READ_ONLY),
        text("Name", "Account Name", 255, nillable=False, name_field=True),
        choice(
            "Type",
            "Account Type",
            (
                "Prospect",
                "Customer - Direct",
                "Customer - Channel",
                "Channel Partner / Reseller",
                "Installation Partner",
                "Technology Partner",
                "Other",
            ),
        ),
        lookup("ParentId", "Parent Account ID", "Account", relationship="Parent", children="ChildAccounts"),
        *_address("Billing", "Billing"),
        *_address("Shipping", "Shipping"),
        text("Phone", "Account Phone", 40, type="phone"),
        text("Fax", "Account Fax", 40, type="phone"),
        text("AccountNumber", "Account Number", 40),
        text("Website", "Website", 255, type="url"),
        choice("Industry", "Industry", INDUSTRIES),
        number("AnnualRevenue", "Annual Revenue", 18, 0, type="currency"),
        integer("NumberOfEmployees", "Employees"),
        choice("Ownership", "Ownership", ("Public", "Private", "Subsidiary", "Other")),
        text("TickerSymbol", "Ticker Symbol", 20),
        long_text("Description", "Account Description"),
        choice("Rating", "Account Rating", ("Hot", "Warm", "Cold")),
        text("Site", "Account Site", 80),
        _owner(),
        day("LastActivityDate", "Last Activity", **READ_ONLY),
        *_seen(),
        text("YearStarted", "Year Started", 4),
        text("Sic", "SIC Code", 20),
        text("SicDesc", "SIC Description", 80),
        text("Tradestyle", "Tradestyle", 255),
        choice("AccountSource", "Account Source", SOURCES),
    ],
    access="Account",
    undeletable=True,
    mergeable=True,
    record_types=True,
)

CONTACT = _object(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    [
        *_system(),
        lookup("MasterRecordId", "Master Record ID", "Contact", relationship="MasterRecord", **READ_ONLY),
        lookup(
            "AccountId",
            "Account ID",
            "Account",
            relationship="Account",
            children="Contacts",
            cascade_delete=True,
        ),
        *_person_name(),
        choice("Salutation", "Salutation", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof."), 40, compound="Name"),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("Email", "Email", 80, type="email"),
        text("Phone", "Business Phone", 40, type="phone"),
        text("MobilePhone", "Mobile Phone", 40, type="phone"),
        *_address("Mailing", "Mailing"),
        choice("LeadSource", "Lead Source", SOURCES),
        lookup(
            "ReportsToId", "Reports To ID", "Contact", relationship="ReportsTo", children="ReportsToContacts"
        ),
        long_text("Description", "Contact Description"),
        _owner(),
        day("LastActivityDate", "Last Activity", **READ_ONLY),
        *_seen(),
    ],
    access="Contact",
    undeletable=True,
    mergeable=True,
)

LEAD = _object(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    [
        *_system(),
        lookup("MasterRecordId", "Master Record ID", "Lead", relationship="MasterRecord", **READ_ONLY),
        *_person_name(),
        text("Company", "Company", 255, nillable=False),
        text("Title", "Title", 128),
        text("Email", "Email", 80, type="email"),
        text("Phone", "Phone", 40, type="phone"),
        *_address("", ""),
        choice("Industry", "Industry", INDUSTRIES),
        choice("LeadSource", "Lead Source", SOURCES),
        choice(
            "Status",
            "Status",
            ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"),
            nillable=False,
            default="Open - Not Contacted",
        ),
        choice("Rating", "Rating", ("Hot", "Warm", "Cold")),
        number("AnnualRevenue", "Annual Revenue", 18, 0, type="currency"),
        integer("NumberOfEmployees", "Employees"),
        _owner(),
        flag("IsConverted", "Converted", **READ_ONLY),
        day("ConvertedDate", "Converted Date", **READ_ONLY),
        lookup(
            "ConvertedAccountId",
            "Converted Account ID",
            "Account",
            relationship="ConvertedAccount",
            **READ_ONLY,
        ),
        day("LastActivityDate", "Last Activity", **READ_ONLY),
    ],
    access="Lead",
    undeletable=True,
    mergeable=True,
)

OPPORTUNITY = _object(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    [
        *_system(),
        lookup(
            "AccountId",
            "Account ID",
            "Account",
            relationship="Account",
            children="Opportunities",
            cascade_delete=True,
        ),
        flag("IsPrivate", "Private"),
        text("Name", "Name", 120, nillable=False, name_field=True),
        long_text("Description", "Description"),
        choice("StageName", "Stage", tuple(stage[0] for stage in STAGES), nillable=False),
        money("Amount", "Amount"),
        number("Probability", "Probability (%)", 3, 0, type="percent"),
        money("ExpectedRevenue", "Expected Amount", **READ_ONLY),
        number("TotalOpportunityQuantity", "Quantity", 18, 2),
        day("CloseDate", "Close Date", nillable=False),
        choice("Type", "Opportunity Type", ("Existing Business", "New Business")),
        text("NextStep", "Next Step", 255),
        choice("LeadSource", "Lead Source", SOURCES),
        flag("IsClosed", "Closed", **READ_ONLY),
        flag("IsWon", "Won", **READ_ONLY),
        choice(
            "ForecastCategory",
            "Forecast Category",
            CATEGORY_NAMES,
            40,
            nillable=False,
            restricted=True,
            **READ_ONLY,
        ),
        choice("ForecastCategoryName", "Forecast Category", CATEGORIES),
        flag("HasOpportunityLineItem", "Has Line Item", **READ_ONLY),
        lookup(
            "Pricebook2Id", "Price Book ID", "Pricebook2", relationship="Pricebook2", children="Opportunities"
        ),
        _owner(),
        day("LastActivityDate", "Last Activity", **READ_ONLY),
        integer("PushCount", "Push Count", **READ_ONLY),
        moment("LastStageChangeDate", "Last Stage Change Date", **READ_ONLY),
        integer("FiscalQuarter", "Fiscal Quarter", **READ_ONLY),
        integer("FiscalYear", "Fiscal Year", **READ_ONLY),
        text("Fiscal", "Fiscal Period", 6, **READ_ONLY),
        lookup("ContactId", "Contact ID", "Contact", relationship="Contact", updateable=False),
        *_seen(),
        flag("HasOpenActivity", "Has Open Activity", **READ_ONLY),
        flag("HasOverdueTask", "Has Overdue Task", **READ_ONLY),
    ],
    access="Opportunity",
    undeletable=True,
    record_types=True,
)

OPPORTUNITY_STAGE = _object(
    "OpportunityStage",
    "Opportunity Stage",
    "Opportunity Stage",
    "01J",
    [
        *_system(deleted=False),
        text("MasterLabel", "Master Label", 255, name_field=True),
        text("ApiName", "API Name", 255),
        flag("IsActive", "Is Active"),
        integer("SortOrder", "Sort Order"),
        flag("IsClosed", "Closed"),
        flag("IsWon", "Won"),
        choice("ForecastCategory", "Forecast Category", CATEGORY_NAMES, 40, restricted=True),
        choice("ForecastCategoryName", "Forecast Category Name", CATEGORIES),
        number("DefaultProbability", "Default Probability", 3, 0, type="percent"),
        text("Description", "Description", 255),
    ],
    createable=False,
    updateable=False,
    deletable=False,
    layoutable=False,
    searchable=False,
)

OPPORTUNITY_HISTORY = _object(
    "OpportunityHistory",
    "Opportunity: Stage History",
    "Opportunity: Stage History",
    "008",
    [
        Field("Id", "ID", "id", 18, nillable=False, **READ_ONLY),
        flag("IsDeleted", "Deleted", **READ_ONLY),
        lookup(
            "OpportunityId",
            "Opportunity ID",
            "Opportunity",
            relationship="Opportunity",
            children="OpportunityHistories",
            nillable=False,
            cascade_delete=True,
            **READ_ONLY,
        ),
        lookup("CreatedById", "Created By ID", "User", relationship="CreatedBy", nillable=False, **READ_ONLY),
        moment("CreatedDate", "Created Date", nillable=False, **READ_ONLY),
        choice("StageName", "To Stage", tuple(stage[0] for stage in STAGES), nillable=False, **READ_ONLY),
        money("Amount", "Amount", **READ_ONLY),
        money("ExpectedRevenue", "Expected Revenue", **READ_ONLY),
        day("CloseDate", "Close Date", **READ_ONLY),
        number("Probability", "Probability", 3, 0, type="percent", **READ_ONLY),
        choice("ForecastCategory", "To ForecastCategory", CATEGORY_NAMES, 40, restricted=True, **READ_ONLY),
        moment("SystemModstamp", "System Modstamp", nillable=False, **READ_ONLY),
        money("PrevAmount", "Previous Amount", **READ_ONLY),
        day("PrevCloseDate", "Previous Close Date", **READ_ONLY),
    ],
    access="Opportunity",
    createable=False,
    updateable=False,
    deletable=False,
    layoutable=False,
    searchable=False,
)


def _field_history(name: str, label: str, parent: str) -> ObjectType:
    """What an org keeps of tracked fields; values of any type, by which nobody can filter."""
    values = {"filterable": False, "groupable": False, "aggregatable": False, **READ_ONLY}
    return _object(
        name,
        label,
        label,
        "017",
        [
            Field("Id", "ID", "id", 18, nillable=False, **READ_ONLY),
            flag("IsDeleted", "Deleted", **READ_ONLY),
            lookup(
                f"{parent}Id",
                f"{parent} ID",
                parent,
                relationship=parent,
                children="Histories",
                nillable=False,
                cascade_delete=True,
                **READ_ONLY,
            ),
            lookup(
                "CreatedById", "Created By ID", "User", relationship="CreatedBy", nillable=False, **READ_ONLY
            ),
            moment("CreatedDate", "Created Date", nillable=False, **READ_ONLY),
            text("Field", "Changed Field", 255, type="picklist", nillable=False, **READ_ONLY),
            text("DataType", "Datatype", 40, type="picklist", **READ_ONLY),
            Field("OldValue", "Old Value", "anyType", 255, **values),
            Field("NewValue", "New Value", "anyType", 255, **values),
        ],
        access=parent,
        createable=False,
        updateable=False,
        deletable=False,
        layoutable=False,
        searchable=False,
    )


OPPORTUNITY_FIELD_HISTORY = _field_history(
    "OpportunityFieldHistory", "Opportunity Field History", "Opportunity"
)
ACCOUNT_HISTORY = _field_history("AccountHistory", "Account History", "Account")

PRODUCT = _object(
    "Product2",
    "Product",
    "Products",
    "01t",
    [
        *_system(),
        text("Name", "Product Name", 255, nillable=False, name_field=True),
        text("ProductCode", "Product Code", 255),
        long_text("Description", "Product Description", 4000),
        flag("IsActive", "Active"),
        choice("Family", "Product Family", ("GTX", "MG", "GTK", "None")),
        text("StockKeepingUnit", "Product SKU", 180),
    ],
    access="Product2",
    undeletable=True,
)

PRICEBOOK = _object(
    "Pricebook2",
    "Price Book",
    "Price Books",
    "01s",
    [
        *_system(),
        text("Name", "Price Book Name", 255, nillable=False, name_field=True),
        flag("IsActive", "Active"),
        flag("IsStandard", "Is Standard Price Book", **READ_ONLY),
        text("Description", "Description", 255),
    ],
    access="Pricebook2",
    undeletable=True,
)

PRICEBOOK_ENTRY = _object(
    "PricebookEntry",
    "Price Book Entry",
    "Price Book Entries",
    "01u",
    [
        *_system(),
        text("Name", "Product Name", 255, name_field=True, **READ_ONLY),
        lookup(
            "Pricebook2Id",
            "Price Book ID",
            "Pricebook2",
            relationship="Pricebook2",
            children="PricebookEntries",
            nillable=False,
            updateable=False,
        ),
        lookup(
            "Product2Id",
            "Product ID",
            "Product2",
            relationship="Product2",
            children="PricebookEntries",
            nillable=False,
            updateable=False,
            cascade_delete=True,
        ),
        money("UnitPrice", "List Price", nillable=False),
        flag("IsActive", "Active"),
        flag("UseStandardPrice", "Use Standard Price"),
        text("ProductCode", "Product Code", 255, **READ_ONLY),
    ],
    access="Pricebook2",
    layoutable=False,
)

LINE_ITEM = _object(
    "OpportunityLineItem",
    "Opportunity Product",
    "Opportunity Product",
    "00k",
    [
        *_system(),
        lookup(
            "OpportunityId",
            "Opportunity ID",
            "Opportunity",
            relationship="Opportunity",
            children="OpportunityLineItems",
            nillable=False,
            updateable=False,
            cascade_delete=True,
        ),
        integer("SortOrder", "Sort Order", **READ_ONLY),
        lookup(
            "PricebookEntryId",
            "Price Book Entry ID",
            "PricebookEntry",
            relationship="PricebookEntry",
            updateable=False,
        ),
        lookup(
            "Product2Id",
            "Product ID",
            "Product2",
            relationship="Product2",
            children="OpportunityLineItems",
            updateable=False,
        ),
        text("ProductCode", "Product Code", 255, **READ_ONLY),
        text("Name", "Opportunity Product Name", 376, name_field=True, **READ_ONLY),
        number("Quantity", "Quantity", 12, 2, nillable=False),
        money("TotalPrice", "Total Price"),
        money("UnitPrice", "Sales Price"),
        money("ListPrice", "List Price", **READ_ONLY),
        number("Discount", "Discount", 5, 2, type="percent"),
        day("ServiceDate", "Date"),
        text("Description", "Line Description", 255),
    ],
    access="Opportunity",
)

_ACTIVITY_TARGETS = ("Account", "Case", "Opportunity", "Product2")


def _activity(children: str) -> list[Field]:
    return [
        lookup("WhoId", "Name ID", "Contact", "Lead", relationship="Who", children=children),
        lookup("WhatId", "Related To ID", *_ACTIVITY_TARGETS, relationship="What", children=children),
        text("Subject", "Subject", 255, type="combobox", name_field=True),
        _owner("Group", "User"),
        long_text("Description", "Description"),
        lookup("AccountId", "Account ID", "Account", relationship="Account", **READ_ONLY),
        flag("IsArchived", "Archived", **READ_ONLY),
        moment("ReminderDateTime", "Reminder Date/Time"),
        flag("IsReminderSet", "Reminder Set"),
    ]


TASK = _object(
    "Task",
    "Task",
    "Tasks",
    "00T",
    [
        *_system(),
        *_activity("Tasks"),
        day("ActivityDate", "Due Date Only"),
        choice(
            "Status",
            "Status",
            ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"),
            40,
            nillable=False,
            default="Not Started",
        ),
        choice("Priority", "Priority", ("High", "Normal", "Low"), 40, nillable=False, default="Normal"),
        flag("IsHighPriority", "High Priority", **READ_ONLY),
        flag("IsClosed", "Closed", **READ_ONLY),
        integer("CallDurationInSeconds", "Call Duration"),
        choice("CallType", "Call Type", ("Internal", "Inbound", "Outbound"), 40, restricted=True),
        text("CallDisposition", "Call Result", 255),
        choice(
            "TaskSubtype",
            "Task Subtype",
            ("Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"),
            40,
            restricted=True,
            updateable=False,
            default="Task",
        ),
        moment("CompletedDateTime", "Completed Date", **READ_ONLY),
    ],
    access="Task",
    undeletable=True,
)

EVENT = _object(
    "Event",
    "Event",
    "Events",
    "00U",
    [
        *_system(),
        *_activity("Events"),
        text("Location", "Location", 255),
        flag("IsAllDayEvent", "All-Day Event"),
        moment("ActivityDateTime", "Due Date Time"),
        day("ActivityDate", "Due Date Only"),
        integer("DurationInMinutes", "Duration"),
        moment("StartDateTime", "Start Date Time"),
        moment("EndDateTime", "End Date Time"),
        flag("IsChild", "Is Child", **READ_ONLY),
        flag("IsPrivate", "Private"),
        choice(
            "ShowAs", "Show Time As", ("Busy", "OutOfOffice", "Free"), 40, restricted=True, default="Busy"
        ),
    ],
    access="Task",
    undeletable=True,
)

CASE = _object(
    "Case",
    "Case",
    "Cases",
    "500",
    [
        *_system(),
        lookup("MasterRecordId", "Master Record ID", "Case", relationship="MasterRecord", **READ_ONLY),
        text("CaseNumber", "Case Number", 30, nillable=False, name_field=True, **READ_ONLY),
        lookup("ContactId", "Contact ID", "Contact", relationship="Contact", children="Cases"),
        lookup("AccountId", "Account ID", "Account", relationship="Account", children="Cases"),
        choice("Type", "Case Type", ("Mechanical", "Electrical", "Electronic", "Structural", "Other")),
        choice("Status", "Status", ("New", "Working", "Escalated", "Closed"), nillable=False, default="New"),
        choice("Reason", "Case Reason", ("Installation", "Performance", "Breakdown", "Other")),
        choice("Origin", "Case Origin", ("Phone", "Email", "Web")),
        text("Subject", "Subject", 255),
        choice("Priority", "Priority", ("High", "Medium", "Low"), default="Medium"),
        long_text("Description", "Description"),
        flag("IsClosed", "Closed", **READ_ONLY),
        moment("ClosedDate", "Closed Date", **READ_ONLY),
        flag("IsEscalated", "Escalated"),
        _owner("Group", "User"),
    ],
    access="Case",
    undeletable=True,
    mergeable=True,
)

GROUP = _object(
    "Group",
    "Group",
    "Groups",
    "00G",
    [
        *_system(deleted=False),
        text("Name", "Name", 40, nillable=False, name_field=True),
        text("DeveloperName", "Developer Name", 80),
        choice("Type", "Type", ("Regular", "Queue", "Role"), 40, nillable=False, default="Regular"),
        text("Email", "Email", 255, type="email"),
    ],
    setup=True,
    layoutable=False,
)

PERMISSION_SET = _object(
    "PermissionSet",
    "Permission Set",
    "Permission Sets",
    "0PS",
    [
        *_system(deleted=False),
        text("Name", "Permission Set Name", 80, nillable=False, name_field=True),
        text("Label", "Permission Set Label", 80, nillable=False),
        text("Description", "Description", 255),
        lookup("ProfileId", "Profile ID", "Profile", relationship="Profile", **READ_ONLY),
        flag("IsOwnedByProfile", "Is Owned By Profile", **READ_ONLY),
        flag("IsCustom", "Custom", default=True, **READ_ONLY),
        text("NamespacePrefix", "Namespace Prefix", 15, **READ_ONLY),
        choice(
            "Type",
            "Permission Set Type",
            ("Regular", "Standard", "Session", "Profile", "Group"),
            40,
            restricted=True,
            **READ_ONLY,
        ),
        flag("PermissionsApiEnabled", "API Enabled"),
        flag("PermissionsModifyAllData", "Modify All Data"),
        flag("PermissionsViewAllData", "View All Data"),
        flag("PermissionsViewSetup", "View Setup and Configuration"),
        flag("PermissionsCustomizeApplication", "Customize Application"),
        flag("PermissionsActivitiesAccess", "Access Activities"),
        flag("PermissionsEditTask", "Edit Tasks"),
        flag("PermissionsViewAllForecasts", "View All Forecasts"),
    ],
    setup=True,
    layoutable=False,
    searchable=False,
)

ASSIGNMENT = _object(
    "PermissionSetAssignment",
    "Permission Set Assignment",
    "Permission Set Assignments",
    "0Pa",
    [
        Field("Id", "ID", "id", 18, nillable=False, id_lookup=True, **READ_ONLY),
        lookup(
            "PermissionSetId",
            "PermissionSet ID",
            "PermissionSet",
            relationship="PermissionSet",
            children="Assignments",
            updateable=False,
            cascade_delete=True,
        ),
        lookup(
            "AssigneeId",
            "Assignee ID",
            "User",
            relationship="Assignee",
            children="PermissionSetAssignments",
            nillable=False,
            updateable=False,
        ),
        moment("SystemModstamp", "Date Assigned", nillable=False, **READ_ONLY),
    ],
    updateable=False,
    setup=True,
    layoutable=False,
    searchable=False,
)


def _values_of(name: str, label: str, prefix: str, field: str, property_label: str) -> ObjectType:
    """The small object that lists the values of a picklist, with what each of them means."""
    return _object(
        name,
        label,
        label,
        prefix,
        [
            *_system(deleted=False),
            text("MasterLabel", "Master Label", 255, name_field=True),
            text("ApiName", "API Name", 255),
            integer("SortOrder", "Sort Order"),
            flag("IsDefault", "Is Default"),
            flag(field, property_label),
        ],
        createable=False,
        updateable=False,
        deletable=False,
        layoutable=False,
        searchable=False,
    )


TASK_STATUS = _values_of("TaskStatus", "Task Status Value", "01T", "IsClosed", "Closed")
TASK_PRIORITY = _values_of("TaskPriority", "Task Priority Value", "01U", "IsHighPriority", "High Priority")
CASE_STATUS = _values_of("CaseStatus", "Case Status Value", "01K", "IsClosed", "Closed")
# Object, the picklist whose values it lists, and the values for which the property holds.
PICKLIST_OBJECTS = (
    ("TaskStatus", "Task", "Status", "IsClosed", frozenset({"Completed"})),
    ("TaskPriority", "Task", "Priority", "IsHighPriority", frozenset({"High"})),
    ("CaseStatus", "Case", "Status", "IsClosed", frozenset({"Closed"})),
)


def _rights(*names: str) -> list[Field]:
    return [flag(f"Permissions{name}", name) for name in names]


FIELD_PERMISSIONS = _object(
    "FieldPermissions",
    "Field Permissions",
    "Field Permissions",
    "01k",
    [
        Field("Id", "ID", "id", 18, nillable=False, id_lookup=True, **READ_ONLY),
        lookup(
            "ParentId",
            "Parent ID",
            "PermissionSet",
            relationship="Parent",
            children="FieldPerms",
            nillable=False,
            updateable=False,
            cascade_delete=True,
        ),
        text("SobjectType", "Sobject Type Name", 40, type="picklist", nillable=False, updateable=False),
        text("Field", "Field Name", 80, type="picklist", nillable=False, updateable=False),
        *_rights("Edit", "Read"),
        moment("SystemModstamp", "System Modstamp", nillable=False, **READ_ONLY),
    ],
    setup=True,
    layoutable=False,
    searchable=False,
)

OBJECT_PERMISSIONS = _object(
    "ObjectPermissions",
    "Object Permissions",
    "Object Permissions",
    "110",
    [
        *_system(deleted=False),
        lookup(
            "ParentId",
            "Parent ID",
            "PermissionSet",
            relationship="Parent",
            children="ObjectPerms",
            nillable=False,
            updateable=False,
            cascade_delete=True,
        ),
        text("SobjectType", "Object Type Name", 40, type="picklist", nillable=False, updateable=False),
        *_rights("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords"),
    ],
    setup=True,
    layoutable=False,
    searchable=False,
)

RECORD_TYPE = _object(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    [
        *_system(deleted=False),
        text("Name", "Name", 80, nillable=False, name_field=True),
        text("DeveloperName", "Developer Name", 80),
        text("SobjectType", "SObject Type Name", 40, type="picklist", updateable=False),
        flag("IsActive", "Active"),
        text("Description", "Description", 255),
    ],
    setup=True,
    layoutable=False,
)

PERIOD = _object(
    "Period",
    "Period",
    "Period",
    "026",
    [
        *_system(created=False, deleted=False),
        choice("Type", "Type", ("Month", "Quarter", "Week", "Year"), 40, restricted=True),
        day("StartDate", "Start Date", nillable=False),
        day("EndDate", "End Date", nillable=False),
        integer("Number", "Number"),
        flag("IsForecastPeriod", "Is Forecast Period"),
        text("FullyQualifiedLabel", "Fully Qualified Label", 255),
    ],
    createable=False,
    updateable=False,
    deletable=False,
    layoutable=False,
    searchable=False,
)

FORECASTING_TYPE = _object(
    "ForecastingType",
    "Forecasting Type",
    "Forecasting Types",
    "0Db",
    [
        *_system(deleted=False),
        text("DeveloperName", "Name", 80, nillable=False),
        text("MasterLabel", "Master Label", 80, nillable=False, name_field=True),
        flag("IsActive", "Active", default=True),
        flag("IsAmount", "Is Amount"),
        flag("IsQuantity", "Is Quantity"),
    ],
    createable=False,
    updateable=False,
    deletable=False,
    setup=True,
    layoutable=False,
    searchable=False,
)

FORECASTING_QUOTA = _object(
    "ForecastingQuota",
    "Forecasting Quota",
    "Forecasting Quotas",
    "0J9",
    [
        *_system(deleted=False),
        lookup(
            "ForecastingTypeId",
            "Forecast Type ID",
            "ForecastingType",
            relationship="ForecastingType",
            nillable=False,
            updateable=False,
        ),
        lookup("QuotaOwnerId", "Owner ID", "User", relationship="QuotaOwner", nillable=False),
        lookup("PeriodId", "Period ID", "Period", relationship="Period", **READ_ONLY),
        day("StartDate", "Start Date", nillable=False),
        money("QuotaAmount", "Quota Amount"),
        number("QuotaQuantity", "Quota Quantity", 18, 2),
        flag("IsAmount", "Is Amount", **READ_ONLY),
        flag("IsQuantity", "Is Quantity", **READ_ONLY),
        choice("ProductFamily", "Product Family", (), updateable=False),
    ],
    permission="ViewAllForecasts",
    layoutable=False,
    searchable=False,
)

STANDARD_OBJECTS = (
    ACCOUNT,
    ACCOUNT_HISTORY,
    CASE,
    CASE_STATUS,
    CONTACT,
    EVENT,
    FIELD_PERMISSIONS,
    GROUP,
    LEAD,
    OBJECT_PERMISSIONS,
    OPPORTUNITY,
    OPPORTUNITY_FIELD_HISTORY,
    OPPORTUNITY_HISTORY,
    LINE_ITEM,
    OPPORTUNITY_STAGE,
    ORGANIZATION,
    PERMISSION_SET,
    ASSIGNMENT,
    PERIOD,
    PRICEBOOK,
    PRICEBOOK_ENTRY,
    PRODUCT,
    PROFILE,
    RECORD_TYPE,
    TASK,
    TASK_PRIORITY,
    TASK_STATUS,
    USER,
    USER_ROLE,
)

# What an org has only where somebody switched Collaborative Forecasts on.
FORECASTING_OBJECTS = (FORECASTING_QUOTA, FORECASTING_TYPE)
