"""The settings file, `foretag.yaml`: which CRMs, with which credentials, where to keep state, how far to go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from config.files.documents import Document, load_document, validate
from config.problems import Fault, Faulty
from config.sections.history import History
from config.sections.loopback import is_private
from config.sections.schedule import Schedule
from config.sections.secret import NEW_KEY, Secret
from config.sections.service import Service
from config.sections.storage import Storage
from config.sections.strict import Strict, Tier
from config.sections.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable


class ClientCredentials(Strict):
    """OAuth client credentials: the default for a worker; runs as the app's integration user."""

    grant: Literal["client_credentials"] = Field(
        default="client_credentials", description="how to sign in; this goes without saying"
    )
    client_id: Secret
    client_secret: Secret


class JwtBearer(Strict):
    """OAuth JWT bearer: a signed assertion instead of a shared secret. `audience` defaults to the url."""

    grant: Literal["jwt_bearer"] = Field(description="how to sign in")
    client_id: Secret
    username: str = Field(description="the user to sign in as")
    private_key: Secret
    audience: str | None = Field(default=None, description="who the assertion is for; the url, if not given")


class RefreshToken(Strict):
    """OAuth refresh token; a rotated one is kept, encrypted, before it is used."""

    grant: Literal["refresh_token"] = Field(description="how to sign in")
    client_id: Secret
    client_secret: Secret | None = Field(default=None, description="the app's secret, if it has one")
    refresh_token: Secret


class AccessToken(Strict):
    """A token made elsewhere: HubSpot's service keys and private apps; in Salesforce for one-time admin work alone."""

    grant: Literal["access_token"] = Field(default="access_token", description="how to sign in")
    token: Secret


def _grant(default: str) -> Callable[[Any], str]:
    """Reads the kind of sign-in from the file or from a model; the default goes without saying."""

    def grant(value: Any) -> str:
        return str(value.get("grant", default) if isinstance(value, dict) else getattr(value, "grant", ""))

    return grant


Auth = Annotated[
    Annotated[ClientCredentials, Tag("client_credentials")]
    | Annotated[JwtBearer, Tag("jwt_bearer")]
    | Annotated[RefreshToken, Tag("refresh_token")]
    | Annotated[AccessToken, Tag("access_token")],
    Discriminator(
        _grant("client_credentials"),
        custom_error_type="unknown_grant",
        custom_error_message="grant must be client_credentials, jwt_bearer, refresh_token or access_token",
    ),
]


HubSpotAuth = Annotated[
    Annotated[AccessToken, Tag("access_token")] | Annotated[RefreshToken, Tag("refresh_token")],
    Discriminator(
        _grant("access_token"),
        custom_error_type="unknown_grant",
        custom_error_message="grant must be access_token (a service key or private app) or refresh_token",
    ),
]


class Limits(Strict):
    """Where a run stops before it starts, and what it leaves to others."""

    max_changes: int | None = Field(
        default=None,
        ge=1,
        description="most records a run may change; default 500 or 10 % of the book, the larger",
    )
    max_share: float | None = Field(
        default=None, gt=0, le=100, description="most records a run may change, in percent of the book"
    )
    max_tier_changes: dict[Tier, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict,
        description="for a tier, how many accounts (or opportunities) may leave it for another or come into it from"
        " another in one run, in percent of those in it; fewer than 5 never stop a run",
    )
    max_gained: dict[Tier, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="for a tier, how many accounts any owner may gain in it in one run, from other tiers",
    )
    max_amount_moved: dict[Tier, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="for a tier, by how much the amount of its open opportunities may rise or fall in one run, in"
        " percent",
    )
    api_reserve: float = Field(
        default=20.0,
        ge=0,
        le=100,
        description="percent of the daily API allowance left to other integrations",
    )
    calls_per_run: int | None = Field(
        default=None, ge=1, description="most API calls of one run; default as many as the reserve leaves"
    )
    calls_per_day: int | None = Field(
        default=None,
        ge=1,
        description="most API calls of all runs within 24 hours; default as many as the reserve leaves",
    )
    max_unreadable: float = Field(
        default=5.0,
        ge=0,
        le=100,
        description="percent of an object's records that may be unreadable before a run stops; a few never stop it",
    )


class Retention(Strict):
    """How long is kept what only undo and questions about the past need."""

    values_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=180,
        description="days for which the old and new values of a write are kept: so long it can be undone",
    )
    deleted_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="days after which a record that was deleted in the CRM is erased here, too"
    )


class _Connection(Strict):
    """What every connection has, whichever CRM is at its other end."""

    url: str
    ca_file: Path | None = Field(default=None, description="extra certificate authority, PEM")
    connect_timeout: float = Field(default=10.0, gt=0, description="seconds")
    read_timeout: float = Field(default=120.0, gt=0, description="seconds without a byte")
    rules: Path = Field(default=Path("rules.yaml"), description="the rules file, relative to this one")
    outputs: Literal["basic", "full"] = Field(
        default="basic", description="basic: tiers, scores, reasons; full adds the scores behind the levels"
    )
    tasks: bool | None = Field(default=None, description="make tasks; default off, on in the bundled sandbox")
    writes: Writes | None = Field(
        default=None, description="the objects and fields that may be written; default all of `outputs`"
    )
    limits: Limits = Limits()
    retention: Retention = Retention()
    people: Literal["aggregate", "names"] = Field(
        default="aggregate", description="whether lists of what people decided name them, or count alone"
    )
    approval: Literal["required", "none"] | None = Field(
        default=None,
        description="required: changed rules write nothing until `foretag approve`;"
        " default required, none in the bundled sandbox",
    )
    schedule: Schedule = Schedule()
    dead_man: Secret | None = Field(
        default=None,
        description="a web address that a worker asks for after each good run of this connection",
    )

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        value = value.rstrip("/")
        if not is_private(value):
            raise ValueError("must start with https:// (plain http only for this machine)")
        if "/" in value.partition("://")[2]:
            raise ValueError("must be the org's address alone, without a path")
        return value


class SalesforceConnection(_Connection):
    """One Salesforce org."""

    crm: Literal["salesforce"] = Field(description="which CRM")
    url: str = Field(description="the org's My Domain, https://YOURS.my.salesforce.com")
    auth: Auth = Field(description="how to sign in")
    api_version: str = Field(default="62.0", pattern=r"^\d{2}\.0$", description="of the REST and Bulk API")


class Rates(Strict):
    """How fast HubSpot may be asked; what is not given is detected, from the replies' own headers where they tell."""

    general: int | None = Field(default=None, ge=1, description="calls in any 10 seconds")
    search: float | None = Field(default=None, gt=0, description="searches per second; HubSpot allows 5")
    associations: int | None = Field(
        default=None,
        ge=1,
        description="calls to associations in any 10 seconds; 100 or 150 by HubSpot's plan",
    )


class HubSpotConnection(_Connection):
    """One HubSpot portal."""

    crm: Literal["hubspot"] = Field(description="which CRM")
    url: str = Field(
        default="https://api.hubapi.com", description="where HubSpot answers; of use for the sandbox alone"
    )
    auth: HubSpotAuth = Field(description="how to sign in")
    api_version: Literal["v3", "2026-03"] = Field(
        default="v3", description="v3 until HubSpot ends it in September 2027; 2026-03 is dated paths"
    )
    rates: Rates = Rates()


Connection = Annotated[
    Annotated[SalesforceConnection, Tag("salesforce")] | Annotated[HubSpotConnection, Tag("hubspot")],
    Discriminator(
        lambda value: value.get("crm") if isinstance(value, dict) else getattr(value, "crm", None),
        custom_error_type="unknown_crm",
        custom_error_message="`crm` must be salesforce or hubspot",
    ),
]


class Settings(Strict):
    """The whole of `foretag.yaml`."""

    state: Path = Field(default=Path(".foretag"), description="folder for history and local copy")
    history: History | None = Field(
        default=None, description="a PostgreSQL database for the history; default a file in the state folder"
    )
    storage: Storage | None = Field(
        default=None,
        description="where local copies lie, if several machines share them; default the state folder",
    )
    encryption_key: Secret | None = Field(
        default=None, description="a Fernet key: tokens that a CRM replaces are kept encrypted by it"
    )
    engine: str = Field(
        default="local",
        pattern=r"^(local|dask://[A-Za-z0-9_.\-]+:\d+)$",
        description="what scores: this process, or a Dask cluster by its scheduler, dask://HOST:8786",
    )
    service: Service = Service()
    connections: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], Connection] = Field(
        min_length=1, description="the CRMs to work beside, by a name of your own"
    )

    @model_validator(mode="after")
    def _replaced_tokens_are_kept_encrypted(self) -> Settings:
        renewed = [
            Fault(
                f"{name}: a token that the CRM replaces is kept encrypted, and `encryption_key` is missing",
                NEW_KEY,
                path=("connections", name, "auth"),
            )
            for name, connection in self.connections.items()
            if isinstance(connection.auth, RefreshToken)
        ]
        if renewed and self.encryption_key is None:
            raise Faulty(*renewed)
        return self


def load_settings(path: Path) -> Settings:
    """Read and check the settings file; paths in it are relative to it.

    Raises:
        ConfigProblem: with every problem of the file, each with its line and column.
    """
    document: Document = load_document(path)
    settings = validate(document, Settings)
    return _anchored(settings, path.parent)


def _anchored(settings: Settings, folder: Path) -> Settings:
    connections = {
        name: connection.model_copy(
            update={
                "rules": folder / connection.rules,
                "ca_file": None if connection.ca_file is None else folder / connection.ca_file,
            }
        )
        for name, connection in settings.connections.items()
    }
    storage = None if settings.storage is None else settings.storage.anchored(folder)
    return settings.model_copy(
        update={"state": folder / settings.state, "storage": storage, "connections": connections}
    )
