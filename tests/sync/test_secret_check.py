"""`foretag check` says of each secret where it comes from and whether it is there, and never what it is."""

import stat

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked

from config.sections.secret import Secret
from config.settings import load_settings
from sync.secret_check import found_secrets, open_state

SETTINGS = """\
encryption_key: {keyring: {name: key}}
connections:
  one:
    crm: salesforce
    url: https://acme.my.salesforce.com
    auth:
      client_id: {env: FORETAG_TEST_ID}
      client_secret: {file: secret}
  two:
    crm: hubspot
    auth: {token: {env: FORETAG_TEST_TOKEN}}
"""


class Chain(KeyringBackend):
    """A keyring in memory; `broken` as a locked one is."""

    priority = 1

    def __init__(self, broken=None):
        super().__init__()
        self.broken, self.entries = broken, {}

    def get_password(self, service, username):
        """What was stored, unless it is locked."""
        if self.broken is not None:
            raise self.broken
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        """Store it."""
        self.entries[service, username] = password

    def delete_password(self, service, username):
        """Take it out."""
        del self.entries[service, username]


@pytest.fixture(autouse=True)
def no_keyring():
    """As on a server; whoever runs the tests keeps their own keyring to themselves."""
    own = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(own)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings whose every secret but the keyring's is there; nobody else can read the file."""
    (tmp_path / "secret").write_text("shh-do-not-say\n")
    (tmp_path / "secret").chmod(0o640)
    monkeypatch.setenv("FORETAG_TEST_ID", "an-id-of-this-test")
    monkeypatch.setenv("FORETAG_TEST_TOKEN", "a-token-of-this-test")
    path = tmp_path / "foretag.yaml"
    path.write_text(SETTINGS)
    return path


def test_each_secret_is_told_with_its_place_and_never_its_value(settings):
    """Those of all connections, and of the one that is looked at."""
    found = found_secrets(settings, ["one"])
    assert [(one.key, one.place.replace(str(settings.parent), "."), one.state) for one in found] == [
        ("encryption_key", "keyring entry foretag/key", "missing"),
        ("connections.one.auth.client_id", "environment variable FORETAG_TEST_ID", "there"),
        ("connections.one.auth.client_secret", "file ./secret", "there"),
    ]
    assert [one.key for one in found_secrets(settings, ["two"])][1:] == ["connections.two.auth.token"]
    assert not any(said in str(found) for said in ("shh", "an-id-of", "a-token-of"))


def test_all_that_are_missing_are_told_at_once_with_their_lines(settings, monkeypatch):
    """Each with what to do where it was looked for; a server's lack of a keyring, too."""
    monkeypatch.delenv("FORETAG_TEST_ID")
    (settings.parent / "secret").unlink()
    said = [str(one.problem).removeprefix(f"{settings}:") for one in found_secrets(settings, ["one"])]
    assert said == [
        (
            "1:1: encryption_key: this machine has no keyring that can be used (a server seldom has one):"
            " put the secret into a file or the environment"
        ),
        (
            "7:7: connections.one.auth.client_id: environment variable FORETAG_TEST_ID is not set;"
            " set it, or name another place"
        ),
        (
            f"8:7: connections.one.auth.client_secret: secret file {settings.parent}/secret cannot be read:"
            " No such file or directory; set it, or name another place"
        ),
    ]


def test_a_secret_that_every_user_can_read_is_a_warning(settings):
    """A program of anybody on the machine could sign in as the worker."""
    (settings.parent / "secret").chmod(0o644)
    (doubtful,) = [one for one in found_secrets(settings, ["one"]) if one.doubt]
    assert doubtful.problem is not None
    assert (doubtful.problem.severity, doubtful.problem.line) == ("warning", 8)
    assert "can be read by every user of this machine" in str(doubtful.problem)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 100_000, "is longer than 65,536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_says_so(settings, content, said):
    """And shows none of what it holds."""
    (settings.parent / "secret").write_bytes(content)
    (_, _, found) = found_secrets(settings, ["one"])
    assert said in found.missing
    assert "xxx" not in found.missing


def test_a_secret_is_read_anew_each_time(settings):
    """One that was replaced holds from the next run on; a byte order mark or the end of a line is no part of it."""
    secret = load_settings(settings).connections["one"].auth.client_secret
    assert secret.read().get_secret_value() == "shh-do-not-say"
    (settings.parent / "secret").write_bytes(b"\xef\xbb\xbfthe-next-one\r\n")
    assert secret.read().get_secret_value() == "the-next-one"


def test_a_secret_of_the_keyring_is_found(settings):
    """Of our service by default, of another one if it is named."""
    keyring.set_keyring(Chain())
    keyring.set_password("foretag", "key", "from-the-keyring")
    assert load_settings(settings).encryption_key.read().get_secret_value() == "from-the-keyring"
    other = Secret(keyring={"service": "corp", "name": "key"})
    with pytest.raises(ValueError, match="corp/key holds nothing: store it by `keyring set corp key`"):
        other.read()


def test_a_locked_keyring_says_so(settings):
    """Not as a bug, and without the library's own words."""
    keyring.set_keyring(Chain(KeyringLocked("org.freedesktop.secrets: hunter2")))
    found = found_secrets(settings, ["one"])[0]
    assert found.missing.startswith(
        "the keyring gives nothing out (KeyringLocked): unlock it, or put the secret into"
    )


def test_a_state_folder_that_others_can_look_into_is_a_warning(settings):
    """It holds records of the CRM; one that we made is nobody else's."""
    state = load_settings(settings).state
    assert list(open_state(load_settings(settings))) == []
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    (problem,) = open_state(load_settings(settings))
    assert str(problem) == f"{state}: others on this machine can look into it (rights 755); chmod 700 {state}"
    state.chmod(stat.S_IRWXU)
    assert list(open_state(load_settings(settings))) == []
