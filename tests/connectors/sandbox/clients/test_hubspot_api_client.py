"""The Python client hubspot-api-client, unmodified, against the sandbox: records, search, schema, imports, exports."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.associations.v4 import AssociationSpec
from hubspot.crm.companies import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    PublicObjectSearchRequest,
)
from hubspot.crm.companies import SimplePublicObjectInput as CompanyInput
from hubspot.crm.deals import SimplePublicObjectInputForCreate as NewDeal
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from connectors.sandbox.fault_kinds import RateLimit


@pytest.fixture
def sandbox(make_sandbox):
    """One portal with a small book."""
    return make_sandbox(crm="hubspot")


def client_of(sandbox, token=None, **options):
    """The client as its README makes it, but for the host."""
    token = token or sandbox.credentials.admin.token
    return HubSpot(access_token=token, host=sandbox.http_url, base_url=sandbox.http_url, **options)


@pytest.fixture
def client(sandbox):
    """A client with the admin's token."""
    return client_of(sandbox)


def test_reads_records_page_by_page(client):
    """get_page, get_all over several pages, get_by_id with history; stamps are dates, unset properties None."""
    basic = client.crm.companies.basic_api
    page = basic.get_page(limit=7, properties=["name", "phone"], archived=False)
    everything = client.crm.deals.get_all(properties=["dealname"], associations=["companies"])

    assert len(page.results) == 7
    assert page.paging.next.after
    assert isinstance(page.results[0].created_at, datetime)
    assert set(page.results[0].properties) == {
        "name",
        "phone",
        "createdate",
        "hs_lastmodifieddate",
        "hs_object_id",
    }
    assert len({one.id for one in everything}) == 200
    linked = next(one for one in everything if one.associations)
    assert linked.associations["companies"].results[0].type.startswith("deal_to_company")
    one = basic.get_by_id(page.results[0].id, properties_with_history=["name"])
    assert one.properties_with_history["name"][0].value == one.properties["name"]


def test_the_life_of_a_record(client):
    """Create, change, archive; what is archived is listed as such only."""
    basic = client.crm.deals.basic_api
    made = basic.create(NewDeal(properties={"dealname": "New", "dealstage": _stage(client), "amount": "12"}))
    changed = basic.update(made.id, CompanyInput(properties={"amount": "13"}))
    basic.archive(made.id)

    assert changed.properties["amount"] == "13"
    with pytest.raises(Exception, match="404"):
        basic.get_by_id(made.id)
    assert made.id in [one.id for one in client.crm.deals.get_all(archived=True)]


def _stage(client):
    pipeline = client.crm.pipelines.pipelines_api.get_all("deals").results[0]
    assert pipeline.stages[0].metadata["isClosed"] in {"true", "false"}
    return pipeline.stages[0].id


def test_batches_tell_each_outcome(client):
    """A batch that is good is a plain model; one with a missing id the model with errors, and no exception."""
    ids = [one.id for one in client.crm.companies.basic_api.get_page(limit=2).results]
    batch = client.crm.companies.batch_api

    def update(*wanted):
        inputs = [{"id": one, "properties": {"phone": "1"}} for one in wanted]
        return batch.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))

    good, partial = update(*ids), update(ids[0], "99")

    assert type(good).__name__ == "BatchResponseSimplePublicObject"
    assert {one.id for one in good.results} == set(ids)
    assert type(partial).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert (partial.num_errors, partial.errors[0].category) == (1, "OBJECT_NOT_FOUND")
    assert partial.errors[0].context == {"ids": ["99"]}
    read = batch.read(
        {"inputs": [{"id": one} for one in ids], "properties": ["phone"], "propertiesWithHistory": []}
    )
    assert {one.properties["phone"] for one in read.results} == {"1"}


def test_a_bad_value_is_an_exception_with_the_portals_words(client):
    """400 with the category and the property's name."""
    one = client.crm.companies.basic_api.get_page(limit=1).results[0]

    with pytest.raises(ApiException) as caught:
        client.crm.companies.basic_api.update(one.id, CompanyInput(properties={"no_such": "1"}))

    body = json.loads(caught.value.body)
    assert (caught.value.status, body["category"]) == (400, "VALIDATION_ERROR")
    assert body["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_searches(client):
    """Filters, sort and paging of the search model."""
    request = PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "hs_is_closed", "operator": "EQ", "value": "true"}]}],
        sorts=["hs_object_id"], properties=["amount"], limit=3, after=0,
    )  # fmt: skip

    first = client.crm.deals.search_api.do_search(request)
    request.after = first.paging.next.after
    second = client.crm.deals.search_api.do_search(request)

    ids = [int(one.id) for one in first.results + second.results]
    assert first.total > 6
    assert ids == sorted(set(ids))


def test_tasks_are_made_with_their_associations(client):
    """One call makes the task and ties it to company and deal; associations v4 lead back."""
    company = client.crm.companies.basic_api.get_page(limit=1).results[0].id
    deal = client.crm.deals.basic_api.get_page(limit=1).results[0].id
    link = {"associationCategory": "HUBSPOT_DEFINED"}
    tasks = client.crm.objects.tasks
    made = tasks.batch_api.create(
        {
            "inputs": [
                {
                    "properties": {"hs_timestamp": "2026-01-31T00:00:00Z", "hs_task_subject": "Call"},
                    "associations": [
                        {"to": {"id": company}, "types": [link | {"associationTypeId": 192}]},
                        {"to": {"id": deal}, "types": [link | {"associationTypeId": 216}]},
                    ],
                }
            ]
        }
    ).results[0]
    associations = client.crm.associations.v4

    found = associations.basic_api.get_page("companies", company, "tasks").results
    batch = associations.batch_api.get_page("tasks", "deals", {"inputs": [{"id": made.id}]}).results

    assert [str(one.to_object_id) for one in found] == [made.id]
    assert found[0].association_types[0].type_id == 191
    assert [str(one.to_object_id) for one in batch[0].to] == [deal]
    assert (
        tasks.basic_api.get_by_id(made.id, properties=["hs_task_subject"]).properties["hs_task_subject"]
        == "Call"
    )


def test_associations_are_made_and_taken_away(client):
    """A label is put on and the default taken away again."""
    company = client.crm.companies.basic_api.get_page(limit=1).results[0].id
    deal = client.crm.deals.basic_api.create(
        NewDeal(properties={"dealname": "New", "dealstage": _stage(client)})
    )
    associations = client.crm.associations.v4.basic_api
    spec = [AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=341)]

    associations.create("deals", deal.id, "companies", company, spec)
    linked = associations.get_page("deals", deal.id, "companies").results
    associations.archive("deals", deal.id, "companies", company)

    assert 341 in [kind.type_id for kind in linked[0].association_types]
    assert associations.get_page("deals", deal.id, "companies").results == []


def test_properties_owners_pipelines_account(client):
    """Schema and people as models; a property that exists already is a conflict; api_request reads the rest."""
    core = client.crm.properties.core_api
    new = {
        "name": "foretag_test",
        "label": "Test",
        "type": "number",
        "fieldType": "number",
        "groupName": "ours",
    }
    client.crm.properties.groups_api.create(
        "companies", {"name": "ours", "label": "Ours", "displayOrder": -1}
    )
    made = core.create("companies", new)

    with pytest.raises(Exception, match="409"):
        core.create("companies", new)
    assert (made.name, made.group_name) == ("foretag_test", "ours")
    assert core.get_by_name("companies", "foretag_test").field_type == "number"
    assert "foretag_test" in [one.name for one in core.get_all("companies").results]
    owners = client.crm.owners.get_all()
    assert client.crm.owners.owners_api.get_by_id(int(owners[0].id)).email == owners[0].email
    assert client.crm.pipelines.pipeline_stages_api.get_all("deals", "default").results
    details = client.api_request({"path": "/account-info/v3/details"}).json()
    assert details["accountType"] == "SANDBOX"


def test_imports(client, tmp_path):
    """A file by its path; state and counters, then the errors."""
    company = client.crm.companies.basic_api.get_page(limit=1).results[0].id
    file = tmp_path / "scores.csv"
    file.write_text(f"Record ID,phone\n{company},42\n1,43\n", "utf-8")
    columns = [
        {"columnName": "Record ID", "propertyName": "hs_object_id", "columnType": "HUBSPOT_OBJECT_ID"},
        {"columnName": "phone", "propertyName": "phone"},
    ]
    page = {"hasHeader": True, "columnMappings": [one | {"columnObjectTypeId": "0-2"} for one in columns]}
    request = {
        "name": "scores",
        "importOperations": {"0-2": "UPDATE"},
        "files": [{"fileName": "scores.csv", "fileFormat": "CSV", "fileImportPage": page}],
    }
    core = client.crm.imports.core_api

    made = core.create(files=str(file), import_request=json.dumps(request))
    done = core.get_by_id(int(made.id))
    errors = client.crm.imports.public_imports_api.get_errors(int(made.id)).results

    assert (made.state, done.state) == ("STARTED", "DONE")
    assert done.metadata.counters["UPDATED_OBJECTS"] == 1
    assert [one.error_type for one in errors] == ["INVALID_RECORD_ID"]
    assert made.id in [one.id for one in core.get_page().results]


def test_exports(client):
    """Started, looked at, fetched from the signed address without the client."""
    exports = client.crm.exports.public_exports_api
    request = {
        "exportType": "VIEW",
        "exportName": "All companies",
        "format": "CSV",
        "language": "EN",
        "objectType": "COMPANY",
        "objectProperties": ["name"],
        "exportInternalValuesOptions": ["NAMES", "VALUES"],
        "publicCrmSearchRequest": {"filters": [], "sorts": [{"propertyName": "name", "order": "ASC"}]},
    }

    started = exports.start(public_export_request=request)
    told = exports.get_status(int(started.id))
    rows = list(csv.DictReader(io.StringIO(requests.get(told.result, timeout=30).text)))

    assert told.status == "COMPLETE"
    assert len(rows) == 40
    assert isinstance(told.completed_at, datetime)


def test_tokens(sandbox):
    """A refresh token gives an access token for half an hour; the client works with it until it expires."""
    account = sandbox.credentials.worker
    oauth = HubSpot(host=sandbox.http_url).oauth
    given = oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=account.client_id,
        client_secret=account.client_secret,
        refresh_token=account.refresh_token,
    )
    client = client_of(sandbox, given.access_token)

    assert given.expires_in == 1800
    assert oauth.access_tokens_api.get(given.access_token).hub_id == sandbox.portal.id
    assert client.crm.companies.basic_api.get_page(limit=1).results
    sandbox.clock.advance(timedelta(seconds=1801))
    with pytest.raises(ApiException) as caught:
        client.crm.companies.basic_api.get_page(limit=1)
    assert (caught.value.status, json.loads(caught.value.body)["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_its_retry_option_waits_for_the_limit(sandbox):
    """With a retry that covers POST the client rides over 429; the README's own form does not."""
    fault = RateLimit(kind="rate_limit", match="POST /crm/v3/objects/companies/search", policy="secondly")
    body = {"filterGroups": [], "limit": 1}
    careful = Retry(total=3, status_forcelist=(429,), allowed_methods=None, backoff_factor=0)
    readme = Retry(total=3, status_forcelist=(429,))

    sandbox.faults.add([fault])
    found = client_of(sandbox, retry=careful).crm.companies.search_api.do_search(body)
    sandbox.faults.add([fault])
    with pytest.raises(ApiException) as caught:
        client_of(sandbox, retry=readme).crm.companies.search_api.do_search(body)
    sandbox.faults.add([fault.model_copy(update={"times": None})])
    with pytest.raises(MaxRetryError):
        client_of(sandbox, retry=careful).crm.companies.search_api.do_search(body)

    assert found.total == 40
    body = json.loads(caught.value.body)
    assert (caught.value.status, body["policyName"]) == (429, "SECONDLY")
    assert body["message"] == "You have reached your secondly limit."


def test_missing_scopes_are_told(sandbox):
    """The worker may not make properties."""
    client = client_of(sandbox, sandbox.credentials.worker.token)

    with pytest.raises(Exception, match="MISSING_SCOPES") as caught:
        client.crm.properties.core_api.create(
            "companies",
            {
                "name": "x",
                "label": "X",
                "type": "number",
                "fieldType": "number",
                "groupName": "companyinformation",
            },
        )

    assert caught.value.status == 403


def test_stamps_carry_their_zone(client):
    """Models hold aware moments in UTC."""
    one = client.crm.companies.basic_api.get_page(limit=1).results[0]

    assert one.updated_at.astimezone(UTC) == one.updated_at
