"""The settings file: every problem at once, each with its place, and no secret in it."""

import pytest

from config.files.documents import load_document
from config.linting.lint_settings import settings_warnings
from config.problems import ConfigProblem
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


def load(tmp_path, text):
    """Load a settings file with this text."""
    path = tmp_path / "foretag.yaml"
    path.write_text(text)
    return load_settings(path)


def problems(tmp_path, text):
    """The problems of a settings file with this text."""
    with pytest.raises(ConfigProblem) as caught:
        load(tmp_path, text)
    return [str(problem).removeprefix(f"{tmp_path}/foretag.yaml:") for problem in caught.value.problems]


def test_defaults_fill_what_is_not_said(tmp_path):
    """The grant defaults to client credentials; paths are relative to the file."""
    settings = load(tmp_path, GOOD)
    connection = settings.connections["main"]
    assert connection.auth.grant == "client_credentials"
    assert (settings.state, connection.rules) == (tmp_path / ".foretag", tmp_path / "rules.yaml")
    assert connection.tasks is None


HUBSPOT = """\
connections:
  main:
    crm: hubspot
    auth:
      token: {env: TOKEN}
"""


def test_a_hubspot_connection_needs_a_token_alone(tmp_path):
    """The address is HubSpot's own, the paths v3, the rates are detected."""
    connection = load(tmp_path, HUBSPOT).connections["main"]
    assert (connection.crm, connection.url) == ("hubspot", "https://api.hubapi.com")
    assert (connection.auth.grant, connection.api_version) == ("access_token", "v3")
    assert connection.rates.general is connection.rates.search is connection.rates.associations is None


def test_every_problem_comes_at_once_with_its_place(tmp_path):
    """Line and column, and a guess at what was meant."""
    text = (
        GOOD.replace("https://acme", "http://acme").replace("client_secret:", "client_secrt:")
        + "    limit: {}\n"
    )
    assert problems(tmp_path, text) == [
        "4:5: connections.main.url: must start with https:// (plain http only for this machine)",
        "5:5: connections.main.auth: 'client_secret' is missing",
        "7:7: connections.main.auth: unknown key 'client_secrt'; did you mean \"client_secret\"?",
        "8:5: connections.main: unknown key 'limit'; did you mean \"limits\"?",
    ]


def test_a_literal_secret_is_refused_and_not_repeated(tmp_path):
    """The message says where to put it, and never what it was."""
    (message,) = problems(tmp_path, GOOD.replace("{env: ID}", "hunter2"))
    assert message.startswith(
        "6:7: connections.main.auth.client_id: a secret must not stand in this file: write {env:"
    )
    assert "hunter2" not in message


def test_secrets_are_read_where_they_lie(tmp_path, monkeypatch):
    """From the environment and from files; a missing one names the place."""
    (tmp_path / "secret").write_text("shh\n")
    auth = load(tmp_path, GOOD.replace("file: secret", f"file: {tmp_path}/secret")).connections["main"].auth
    assert auth.client_secret.read().get_secret_value() == "shh"
    monkeypatch.delenv("ID", raising=False)
    with pytest.raises(ValueError, match="environment variable ID is not set"):
        auth.client_id.read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("connections: [", "is not valid YAML"),
        ("- a", "must be lines of `key: value`"),
        ("", "'connections' is missing"),
        ("connections: {}", "at least 1 item"),
        (GOOD.replace("crm: salesforce", "crm: siebel"), "`crm` must be salesforce or hubspot"),
        (GOOD.replace("crm: salesforce\n    ", ""), "`crm` must be salesforce or hubspot"),
        (HUBSPOT + "      grant: client_credentials\n", "grant must be access_token (a service key"),
        (HUBSPOT + "    api_version: v4\n", "must be 'v3' or '2026-03'"),
        (HUBSPOT + "    rates: {search: 0}\n", "greater than 0"),
        (GOOD + "      grant: magic\n", "grant must be client_credentials, jwt_bearer"),
        (GOOD.replace("acme.my.salesforce.com", "acme.my.salesforce.com/lightning"), "without a path"),
    ],
)
def test_a_malformed_file_says_what_is_wrong(tmp_path, text, message):
    """Never a traceback, always a sentence."""
    assert message in "\n".join(problems(tmp_path, text))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    """The first thing a new user meets."""
    with pytest.raises(
        ConfigProblem, match="No such file or directory; correct the path; `foretag init` makes"
    ):
        load_settings(tmp_path / "foretag.yaml")


def test_the_allow_list_names_our_fields_alone(tmp_path):
    """An object that is not named is not written; a field that we do not write there is refused, with its place."""
    writes = (
        load(tmp_path, GOOD + "    writes: {account: [foretag_tier], opportunity: all}\n")
        .connections["main"]
        .writes
    )
    assert writes.allows("account", "foretag_tier")
    assert not writes.allows("account", "foretag_score")
    assert writes.allows("opportunity", "foretag_reason")
    wrong = GOOD + "    writes: {account: [foretag_tire], opportunity: [foretag_segment]}\n"
    assert problems(tmp_path, wrong)[0] == (
        '8:24: connections.main.writes.account.0: "foretag_tire" is not written on an account; did you mean'
        ' "foretag_tier"?'
    )
    assert (
        '8:53: connections.main.writes.opportunity.0: "foretag_segment" is not'
        in problems(tmp_path, wrong)[1]
    )
    nothing = load(tmp_path, GOOD + "    writes: {opportunity: all}\n").connections["main"].writes
    assert not nothing.allows("account", "foretag_tier")


@pytest.mark.parametrize(
    ("said", "warnings"),
    [
        ("limits: {max_gained: {A: 15}}", []),
        ("writes: {account: all}", []),
        ("writes: {}", ["writes: allows no field at all; write `account: all`, or name some fields"]),
        (
            "writes: {account: [foretag_valid_until, foretag_likelihood]}",
            [
                "writes.account.1: foretag_likelihood is not written with `outputs: basic`; write `outputs: full`, or"
            ],
        ),
        (
            "writes: {account: [foretag_tier]}",
            [
                "writes.account: leaves out foretag_valid_until: nobody will see that a value has become stale; add it"
            ],
        ),
        (
            "writes: {account: all}\n    limits: {max_amount_moved: {A: 20}, max_gained: {A: 1}}",
            [
                "limits.max_amount_moved: never stops a run: `writes` leaves foretag_tier of opportunity alone; take it"
            ],
        ),
        (
            "tasks: false\n    schedule: {tasks: 0 8 * * mon-fri}",
            ["schedule.tasks: makes no tasks: `tasks: false`; write `tasks: true`, or take it out"],
        ),
        (
            "schedule: {increment: null, full: null}",
            ["schedule: reads nothing new and writes no scores; give `increment` or `full` a time"],
        ),
    ],
)
def test_limits_and_permissions_that_never_say_anything_are_told(tmp_path, said, warnings):
    """Each fits the file's model, and yet cannot be what was meant; warnings never stop."""
    path = tmp_path / "foretag.yaml"
    path.write_text(f"{GOOD}    {said}\n")
    document = load_document(path)
    found = settings_warnings(document, load_settings(path))
    assert {problem.severity for problem in found} <= {"warning"}
    assert len(found) == len(warnings)
    for problem, words in zip(found, warnings, strict=True):
        assert f"connections.main.{words}" in str(problem)


def test_a_secret_file_is_found_beside_the_settings(tmp_path, monkeypatch):
    """A path is relative to the file that names it, wherever the command is started."""
    (tmp_path / "secret").write_text("shh\n")
    auth = load(tmp_path, GOOD).connections["main"].auth
    monkeypatch.chdir("/")
    assert auth.client_secret.read().get_secret_value() == "shh"


def test_a_sign_in_that_is_renewed_needs_a_key_to_keep_it_by(tmp_path):
    """Told before the first run, with how to make one."""
    text = HUBSPOT.replace("token:", "grant: refresh_token\n      client_id: {env: ID}\n      refresh_token:")
    assert problems(tmp_path, text) == [
        (
            "4:5: main: a token that the CRM replaces is kept encrypted, and `encryption_key` is missing;"
            " make a key by `foretag new-key`, keep it where secrets are kept, and name the place:"
            " encryption_key: {env: NAME}"
        )
    ]
    assert load(tmp_path, text + "encryption_key: {env: KEY}\n").encryption_key.env == "KEY"
