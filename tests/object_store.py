"""A real object store for tests: moto's server, in a process of its own, with keys and bucket policies in force."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from config.sections.secret import Secret
from config.sections.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator

# In this process it could not answer: Delta holds the interpreter while it asks. Two kinds of buckets are as others'
# are: a `careless-` one takes no notice of conditions, of a `forbidden-` one the reply names the key.
_SERVER = """
import logging, sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer
logging.disable()
arrived, together = [], threading.Event()
answer = DomainDispatcherApplication.__call__
def answered(app, environ, start_response):
    if environ["PATH_INFO"].startswith("/careless-") and environ.pop("HTTP_IF_NONE_MATCH", None):
        if environ["PATH_INFO"].endswith("1.json"):
            arrived.append(environ)
            if len(arrived) > 1:
                together.set()
            together.wait(5)
    if environ["PATH_INFO"].startswith("/forbidden-"):
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        who = environ["HTTP_AUTHORIZATION"].partition("Credential=")[2].partition("/")[0]
        told = f"<AWSAccessKeyId>{who}</AWSAccessKeyId><Code>AccessDenied</Code>"
        return [f"<Error>{told}</Error>".encode()]
    return answer(app, environ, start_response)
DomainDispatcherApplication.__call__ = answered
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
KEY, SECRET = "the-test-key-id", "the-test-key-secret"


@dataclass(frozen=True)
class ObjectStore:
    """One server; each test takes a bucket of its own."""

    endpoint: str
    _names: count[int]

    @cached_property
    def s3(self) -> Any:
        """The vendor's own client, to look from outside."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def bucket(self, kind: str = "bucket") -> str:
        """A new bucket, the first word of whose name tells what it is like."""
        name = f"{kind}-{next(self._names)}"
        self.s3.create_bucket(Bucket=name)
        return name

    def storage(self, bucket: str, prefix: str = "copies") -> Storage:
        """Settings that name it; the keys lie in the environment."""
        return Storage(
            url=f"s3://{bucket}/{prefix}",
            endpoint=self.endpoint,
            region="us-east-1",
            access_key=Secret(env="FORETAG_TEST_KEY"),
            secret_key=Secret(env="FORETAG_TEST_SECRET"),
        )

    def keys(self, bucket: str) -> dict[str, int]:
        """The objects of a bucket, with their sizes."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", ())}


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A server that lasts as long as the tests of this process."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield ObjectStore(f"http://127.0.0.1:{int(server.stdout.readline())}", count())
        server.stdin.close()


@pytest.fixture
def bucket_storage(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Settings of a new bucket, with its keys in the environment."""
    monkeypatch.setenv("FORETAG_TEST_KEY", KEY)
    monkeypatch.setenv("FORETAG_TEST_SECRET", SECRET)
    return object_store.storage(object_store.bucket())
