"""Where local copies lie when several machines share them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from config.sections.loopback import is_private
from config.sections.secret import Secret
from config.sections.strict import Strict

if TYPE_CHECKING:
    from pathlib import Path

# AWS's rules for the name of a bucket; of what follows, no empty parts, and none that go up.
_BUCKET = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]*[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?"
)
_ONLY_S3 = ("endpoint", "region", "access_key", "secret_key")


class Storage(Strict):
    """A shared folder, or an object store that speaks S3."""

    url: str = Field(min_length=1, description="a folder that every machine sees, or s3://BUCKET/PREFIX")
    endpoint: str | None = Field(default=None, description="of a store other than AWS, https://...")
    region: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$", description="of the bucket")
    access_key: Secret | None = Field(
        default=None,
        description="the key's id; default as AWS's own tools find it (role, profile, environment)",
    )
    secret_key: Secret | None = Field(default=None, description="the key's secret")

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no object store."""
        return "://" not in self.url

    def anchored(self, folder: Path) -> Storage:
        """The same, with its folder relative to that of the settings."""
        return self.model_copy(update={"url": str(folder / self.url)}) if self.is_folder else self

    @field_validator("url")
    @classmethod
    def _bucket(cls, value: str) -> str:
        if "://" in value and not _BUCKET.fullmatch(value):
            # What was written may hold a key.
            raise ValueError("write s3://BUCKET/PREFIX with plain names, or the path of a folder")
        return value

    @field_validator("endpoint")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not is_private(value):
            raise ValueError("must start with https:// (plain http only for this machine)")
        parts = urlsplit(value)
        if parts.path.strip("/") or parts.query or "@" in parts.netloc:
            raise ValueError("must be the store's address alone: bucket and prefix belong into `url`")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Storage:
        given = [name for name in _ONLY_S3 if getattr(self, name) is not None]
        if self.is_folder and given:
            raise ValueError(f"a folder has no {', '.join(given)}: they belong to an s3:// address")
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key are given together, or neither")
        return self
