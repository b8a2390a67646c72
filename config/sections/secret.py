"""Where a secret lies: never in the settings themselves."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from config.sections.strict import Strict


class Secret(Strict):
    """Where a secret lies: an environment variable or a file. A literal secret in YAML is refused."""

    env: str | None = Field(default=None, description="name of the environment variable that holds it")
    file: Path | None = Field(default=None, description="path of the file that holds it")

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: object) -> object:
        if isinstance(value, str):
            # The value itself must never reach a message.
            raise ValueError(  # noqa: TRY004  # pydantic collects ValueError
                "a secret must not stand in this file: write {env: NAME_OF_VARIABLE} or {file: /run/secrets/NAME}"
            )
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("name exactly one place, {env: NAME} or {file: PATH}")
        return self

    def read(self) -> SecretStr:
        """The secret's value. Raises `ValueError`, naming the place but never the value, if it is not there."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value:
                raise ValueError(f"environment variable {self.env} is not set")
        elif self.file is not None:
            try:
                value = self.file.read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise ValueError(f"secret file {self.file} cannot be read: {error.strerror}") from None
        return SecretStr(value)
