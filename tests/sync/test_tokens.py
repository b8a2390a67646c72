"""A replaced refresh token survives the process, is of no use to whoever reads the database, and outlives its key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from config.problems import ConfigProblem
from config.redaction import redacted
from config.sections.secret import Secret
from sync.ledger import Ledger, tables

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def opened(tmp_path, history, monkeypatch):
    """Opens the history as a new process with this key would; all are closed at the end."""
    ledgers = []

    def opened(key):
        monkeypatch.setenv("FORETAG_KEY", key)
        secret = Secret(env="FORETAG_KEY")
        ledgers.append(Ledger.open(tmp_path, lambda: datetime(2026, 1, 1, tzinfo=UTC), history, secret))
        return ledgers[-1].tokens

    yield opened
    for ledger in ledgers:
        ledger.close()


def written(tokens):
    """What stands in the database."""
    with tokens._engine.connect() as db:
        return db.scalar(sa.select(tables.token.c.value))


def test_a_replaced_token_survives_the_process_unreadable(opened):
    """It is on disk before it is used, and there it is encrypted; no text shows it."""
    tokens = opened(OLD)
    assert tokens.load("main", "configured") is None
    tokens.save("main", "one-rotated-token", "configured")
    tokens.save("main", "two-rotated-token", "configured")
    assert opened(OLD).load("main", "configured") == "two-rotated-token"
    assert "rotated" not in written(tokens)
    assert "configured" not in written(tokens)
    assert redacted("two-rotated-token by " + OLD) == "[secret] by [secret]"


def test_a_token_kept_before_there_was_a_key_is_encrypted_at_its_first_use(opened):
    """Nobody has to sign in anew after an upgrade."""
    tokens = opened(NEW)
    with tokens._engine.begin() as db:
        db.execute(tables.token.insert().values(connection="main", value="a-plain-token"))
    assert tokens.load("main", "configured") == "a-plain-token"
    assert "plain" not in written(tokens)
    assert opened(NEW).load("main", "configured") == "a-plain-token"


def test_a_key_is_replaced_by_naming_both_until_every_connection_has_signed_in(opened):
    """The newest encrypts, all decrypt; afterwards the old one can go."""
    opened(OLD).save("main", "the-token", "configured")
    with pytest.raises(ConfigProblem, match="encrypted by another key"):
        opened(NEW).load("main", "configured")
    assert opened(f"{NEW}\n{OLD}").load("main", "configured") == "the-token"
    assert opened(NEW).load("main", "configured") == "the-token"


def test_a_lost_key_is_no_dead_end(opened):
    """The words say how to go on, without any key or token in them; a new sign-in is taken at once."""
    opened(OLD).save("main", "the-token", "configured")
    with pytest.raises(ConfigProblem) as caught:
        opened(FOREIGN).load("main", "configured")
    assert str(caught.value) == (
        "encryption_key: the kept sign-in of main was encrypted by another key than environment variable FORETAG_KEY;"
        " give that key, too (several apart by blanks, the newest first); if it is lost, authorise the app again and"
        " store the new refresh token where the settings say"
    )
    assert opened(FOREIGN).load("main", "configured anew") is None


@pytest.mark.parametrize(
    ("key", "said"),
    [("hunter2", "holds no Fernet key"), (OLD + " hunter2", "holds no"), ("", "is not set")],
    # A key that differs from process to process must not name a test: the suite's two would not agree on their list.
    ids=("no key", "a key and none", "nothing"),
)
def test_a_key_that_is_none_says_how_to_make_one(opened, key, said):
    """And not what it is."""
    with pytest.raises(ConfigProblem, match=said) as caught:
        opened(key).save("main", "the-token", "configured")
    assert "foretag new-key" in str(caught.value)
    assert "hunter2" not in str(caught.value)
