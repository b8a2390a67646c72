"""A secret that stands in a file is an error that says where it belongs, and never what it is."""

import pytest

from config.problems import ConfigProblem
from config.rules import load_rules
from config.settings import load_settings

GOOD = """\
connections:
  main:
    crm: salesforce
    url: https://acme.my.salesforce.com
    auth:
      client_id: {env: ID}
      client_secret: {file: secret}
"""
HUBSPOT_TOKEN = "pat-na1-01234567-89ab-cdef-0123-456789abcdef"


def said(tmp_path, text, load=load_settings):
    """What is said of a file with this text."""
    path = tmp_path / "foretag.yaml"
    path.write_text(text)
    with pytest.raises(ConfigProblem) as caught:
        load(path)
    return str(caught.value).replace(f"{path}:", "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD.replace("{env: ID}", "hunter2"), "6:7: connections.main.auth.client_id: a secret must not stand"),
        (GOOD.replace("{env: ID}", "[hunter2]"), "6:7: connections.main.auth.client_id: a secret must not stand"),
        (GOOD.replace("{env: ID}", "{env: hunter2!}"), "6:19: connections.main.auth.client_id.env: is not allowed;"),
        (GOOD + "      passwrd: x\n      password: hunter2\n", "9:7: connections.main.auth.password: a secret must"),
        (GOOD + "      sandbox_token: [hunter2]\n", "connections.main.auth.sandbox_token.0: a secret must not"),
        (GOOD + "apiKey: 12345678\n", "8:1: apiKey: a secret must not stand"),
        (GOOD.replace("{env: ID}", "{token:hunter2}"), "6:19: connections.main.auth.client_id.token: a secret must"),
        (GOOD + "history: {url: 'postgresql://me:hunter2@db/x'}\n", "8:11: history.url: a password must not stand"),
        (GOOD + "storage: {endpoint: 'https://me:hunter2@s3'}\n", "8:27: a URL with a password must not stand"),
        (GOOD + "storage: {endpoint: 'https://me:p@/hunter2@s3'}\n", "8:27: a URL with a password must not stand"),
        (GOOD + f"# once {HUBSPOT_TOKEN}\n", "8:8: a HubSpot token must not stand"),
        (GOOD.replace("acme", HUBSPOT_TOKEN), "4:18: a HubSpot token must not stand"),
        (GOOD.replace("client_id:", f"{HUBSPOT_TOKEN}:"), "6:7: a HubSpot token must not stand"),
        (GOOD.replace("{file: secret}", "|\n        -----BEGIN PRIVATE KEY-----\n        hunter2\n"), "7:7: "),
        (GOOD.replace("{env: ID}", "*hunter2"), "6:18: is not valid YAML: a * names"),
    ],
)  # fmt: skip
def test_a_literal_secret_is_refused_wherever_it_stands(tmp_path, text, place):
    """By its key or by its form: in a value, a list, a key, a comment; the message says where to put it."""
    message = said(tmp_path, text)
    assert place in message
    assert not any(secret in message for secret in ("hunter2", "12345678", HUBSPOT_TOKEN))


def test_a_secret_is_told_once_and_with_the_files_other_problems(tmp_path):
    """One line for each thing to mend."""
    lines = said(tmp_path, GOOD.replace("{env: ID}", HUBSPOT_TOKEN) + "    outputs: all\n").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["6:7:", "8:5:"]
    assert "{env: NAME_OF_VARIABLE}, {file: /run/secrets/NAME} or {keyring: {name: NAME}}" in lines[0]


def test_rules_may_not_hold_a_secret_either(tmp_path):
    """They are shared more widely than the settings."""
    message = said(tmp_path, f"# {HUBSPOT_TOKEN}\n", load_rules)
    assert message.startswith("1:3: a HubSpot token must not stand in this file; write {env:")
