"""Where a secret lies: never in the settings themselves."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from config.redaction import remember
from config.sections.strict import Strict

NOT_HERE = "must not stand in this file"
INSTEAD = "write {env: NAME_OF_VARIABLE}, {file: /run/secrets/NAME} or {keyring: {name: NAME}}"
NEW_KEY = (
    "make a key by `foretag new-key`, keep it where secrets are kept, and name the place:"
    " encryption_key: {env: NAME}"
)
# A key of 16,384 bits has 13,000 characters; whatever is longer is some other file.
_LONGEST = 1 << 16


class KeyringEntry(Strict):
    """A password in the keyring of this machine's user: macOS Keychain, Windows Credential Locker, Secret Service."""

    service: str = Field(default="foretag", min_length=1, description="under which service it is kept")
    name: str = Field(min_length=1, description="under which name it is kept")

    def password(self) -> str:
        """What the keyring holds. Raises `ValueError` with what to do if there is no such entry, or no keyring."""
        # Late: it looks for every keyring that is installed.
        import keyring  # noqa: PLC0415  # late on purpose
        from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415  # late on purpose

        try:
            value = keyring.get_password(self.service, self.name)
        except NoKeyringError:
            raise ValueError(
                "this machine has no keyring that can be used (a server seldom has one):"
                " put the secret into a file or the environment"
            ) from None
        except KeyringError as error:
            raise ValueError(
                f"the keyring gives nothing out ({type(error).__name__}): unlock it,"
                " or put the secret into a file or the environment"
            ) from None
        if value is None:
            raise ValueError(f"{self} holds nothing: store it by `keyring set {self.service} {self.name}`")
        return value

    def __str__(self) -> str:
        return f"keyring entry {self.service}/{self.name}"


class Secret(Strict):
    """Where a secret lies: an environment variable, a file, or the keyring. A literal secret in YAML is refused."""

    env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",  # whoever puts the secret itself here is not to see it in a message
        description="name of the environment variable that holds it",
    )
    file: Path | None = Field(default=None, description="path of the file that holds it")
    keyring: KeyringEntry | None = Field(
        default=None, description="entry of the machine's keyring that holds it"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: object) -> object:
        if not isinstance(value, dict | Secret):
            # The value itself must never reach a message.
            raise ValueError(f"a secret {NOT_HERE}: {INSTEAD}")  # noqa: TRY004  # pydantic collects ValueError
        return value

    @field_validator("file")
    @classmethod
    def _beside_the_settings(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """A path is relative to the file that names it, wherever a command is started."""
        return value if value is None or not info.context else info.context["folder"] / value

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.keyring)) != 1:
            raise ValueError(f"name exactly one place: {INSTEAD}")
        return self

    def __str__(self) -> str:
        if self.env is not None:
            return f"environment variable {self.env}"
        return f"file {self.file}" if self.file is not None else str(self.keyring)

    def read(self) -> SecretStr:
        """The secret's value as it is now, so that it can be replaced while a worker runs; it is hidden from then on.

        Raises `ValueError`, naming the place but never the value, if it is not there.
        """
        value = self._found().rstrip("\r\n")
        if not value.strip():
            raise ValueError(f"{self} is empty" if self.env is None else f"{self} is not set")
        remember(value)
        return SecretStr(value)

    def _found(self) -> str:
        if self.file is not None:
            return self._in_file(self.file)
        return os.environ.get(self.env or "", "") if self.keyring is None else self.keyring.password()

    def _in_file(self, path: Path) -> str:
        try:
            with path.open("rb") as stream:
                content = stream.read(_LONGEST + 1)
        except (OSError, ValueError) as error:  # ValueError: no path, as of a zero byte
            raise ValueError(
                f"secret {self} cannot be read: {getattr(error, 'strerror', 'no path')}"
            ) from None
        if len(content) > _LONGEST:
            raise ValueError(f"secret {self} is longer than {_LONGEST:,} bytes")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:  # its words show bytes of the secret
            raise ValueError(f"secret {self} is not UTF-8 text") from None

    def doubt(self) -> str:
        """What is unsafe about the place: a file that every user of the machine can read. Empty if nothing is."""
        try:
            mode = self.file.stat().st_mode if self.file is not None else 0
        except OSError:
            return ""
        return f"{self} can be read by every user of this machine" if mode & stat.S_IROTH else ""
