"""Whom a worker tells of what needs a person, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config.sections.loopback import LOOPBACK_HOSTS
from config.sections.secret import Secret
from config.sections.strict import Strict

# A run failed; records were refused; a limit stopped a run; rules wait for approval; trouble has ended; scheduled work
# did not take place; settings or rules cannot be used.
EventName = Literal["failed", "refused", "stopped", "approval", "recovered", "missed", "unusable"]
EVENTS: tuple[EventName, ...] = get_args(EventName)

Events = Annotated[
    tuple[EventName, ...],
    Field(default=EVENTS, min_length=1, description="of what; default of everything"),
]
Address = Annotated[str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$")]


class Webhook(Strict):
    """A web address that takes messages as Slack does."""

    url: Secret = Field(description="where the address lies: whoever knows it can post there")
    events: Events = EVENTS


class Mail(Strict):
    """A mail server that takes messages to people."""

    host: str = Field(min_length=1, description="the mail server")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="default 587, 465 for `tls`, 25 for `none`"
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the connection is kept private; `none` on this machine alone"
    )
    username: str | None = Field(default=None, description="to sign in with, if the server wants it")
    password: Secret | None = Field(default=None, description="where its password lies")
    sender: Address = Field(description="from whom")
    to: tuple[Address, ...] = Field(min_length=1, description="to whom")
    events: Events = EVENTS

    @model_validator(mode="after")
    def _private(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK_HOSTS:
            raise ValueError("`security: none` is for a mail server on this machine alone")
        if (self.username is None) != (self.password is None):
            raise ValueError("a username goes with a password, and a password with a username")
        return self


class Notify(Strict):
    """Whom a worker tells of what needs a person."""

    webhooks: tuple[Webhook, ...] = Field(
        default=(), description="Slack, or whatever takes messages as it does"
    )
    mail: Mail | None = Field(default=None, description="people who get a mail")
    ca_file: Path | None = Field(
        default=None, description="certificate authority of these servers, PEM; default the system's"
    )

    @field_validator("ca_file")
    @classmethod
    def _beside_the_settings(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return value if value is None or not info.context else info.context["folder"] / value
