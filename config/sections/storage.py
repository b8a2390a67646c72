"""Where local copies lie when several machines share them."""

from __future__ import annotations

from pydantic import Field

from config.sections.secret import Secret
from config.sections.strict import Strict


class Storage(Strict):
    """A shared folder, or an object store that speaks S3."""

    url: str = Field(description="a folder that every machine sees, or s3://BUCKET/PREFIX")
    endpoint: str | None = Field(default=None, description="of a store other than AWS, https://...")
    region: str | None = Field(default=None, description="of the bucket")
    access_key: Secret | None = Field(
        default=None,
        description="the key's id; default as AWS's own tools find it (role, profile, environment)",
    )
    secret_key: Secret | None = Field(default=None, description="the key's secret")
