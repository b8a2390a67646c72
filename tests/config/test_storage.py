"""Where local copies may lie: a folder, or a bucket; by TLS, and with no key in an address."""

import pytest
from pydantic import ValidationError

from config.sections.secret import Secret
from config.sections.storage import Storage
from config.settings import load_settings
from sync.store.place import options_of
from tests.config.test_settings import GOOD


@pytest.mark.parametrize(
    "url", ["s3://copies", "s3://copies/", "s3://copies.acme/sales/eu_1", "/mnt/copies", "copies"]
)
def test_a_folder_or_a_bucket(url):
    """By its path, or with a prefix."""
    assert Storage(url=url).is_folder == (not url.startswith("s3://"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": ""}, "at least 1 character"),
        ({"url": "gs://copies"}, "write s3://BUCKET/PREFIX"),
        ({"url": "s3://AKIA:hunter2@copies"}, "write s3://BUCKET/PREFIX"),
        ({"url": "s3://copies/../others"}, "write s3://BUCKET/PREFIX"),
        ({"url": "s3://copies//sales"}, "write s3://BUCKET/PREFIX"),
        ({"url": "s3://copies", "endpoint": "http://store.acme.com"}, "must start with https://"),
        (
            {"url": "s3://copies", "endpoint": "https://store.acme.com/copies"},
            "must be the store's address alone",
        ),
        ({"url": "s3://copies", "endpoint": "https://me:hunter2@store"}, "must be the store's address alone"),
        ({"url": "/mnt/copies", "region": "eu-north-1"}, "a folder has no region"),
        ({"url": "s3://copies", "access_key": {"env": "KEY"}}, "given together"),
    ],
)
def test_what_cannot_be_is_told_without_what_was_written(given, said):
    """A key in an address would stand in every message."""
    with pytest.raises(ValidationError) as raised:
        Storage(**given)
    text = str(raised.value.errors(include_input=False, include_context=False))
    assert said in text
    assert "hunter2" not in text


def test_a_folder_is_relative_to_the_settings(tmp_path):
    """As every path in them; a bucket is where it is."""
    path = tmp_path / "foretag.yaml"
    for url, is_at in (("copies", str(tmp_path / "copies")), ("s3://copies/eu", "s3://copies/eu")):
        path.write_text(f"storage: {{url: '{url}'}}\n{GOOD}", encoding="utf-8")
        storage = load_settings(path).storage
        assert storage is not None
        assert storage.url == is_at


def test_tls_is_not_turned_off_by_the_environment(monkeypatch):
    """What the store's client would read there is said outright; plain http is for this machine alone."""
    monkeypatch.setenv("KEY", "the-key")
    secret = Secret(env="KEY")
    told = options_of(Storage(url="s3://copies", access_key=secret, secret_key=secret))
    assert (told["aws_allow_http"], told["allow_invalid_certificates"]) == ("false", "false")
    assert (told["aws_access_key_id"], "aws_endpoint" in told) == ("the-key", False)
    near = options_of(Storage(url="s3://copies", endpoint="http://127.0.0.1:9000"))
    assert (near["aws_allow_http"], near["allow_invalid_certificates"]) == ("true", "false")
