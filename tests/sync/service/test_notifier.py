"""Whom a worker tells what, over real receivers: a web server, a mail server with TLS."""

from __future__ import annotations

import ssl
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from config.problems import Problem
from config.sections.notify import Mail, Notify, Webhook
from config.sections.secret import Secret
from sync.ledger import Item
from sync.ledger.away import HistoryAway
from sync.service.asking import NotTaken
from sync.service.events import Missed, Unusable
from sync.service.notifier import Notifier
from sync.service.outbox import Outbox
from tests.sync.service.watched import NOON, ended, receiving, taking_mail

PROBLEM = Problem("no such field", where="Account.Name", fix="let the worker read it").as_dict()
# As long as a busy machine may take: who closes sooner hears of nothing.
MINUTE = 60
AWAITING = {"rules": "abc123", "tiers": {"account": [["A", "B", 3], ["none", "C", 12]], "opportunity": []}}


@pytest.fixture
def told(ledger, monkeypatch):
    """Tell a notifier of events, of a webhook at this address; returns what was counted of it."""

    def tell(url: str, *events: object, pauses: tuple[float, ...] = (0.0, 0.0), **options: object) -> list:
        monkeypatch.setenv("HOOK", url)
        counted = []
        webhook = Webhook(url=Secret(env="HOOK"), **options)
        notifier = Notifier(
            Notify(webhooks=(webhook,)), ledger, lambda *what: counted.append(what), pauses=pauses
        )
        for event in events:
            notifier(event)
        notifier.close(MINUTE)
        return counted

    return tell


def titles(received) -> list[str]:
    """The first line of each message."""
    return [body["text"].splitlines()[0] for body in received.bodies]


def test_a_failed_run_is_told_once_with_what_to_do(told):
    """As Slack wants it; the same trouble is not told again, with other numbers it is still the same."""
    with receiving() as received:
        told(
            received.url + "/hook",
            ended(2, problems=[PROBLEM], run="R-1"),
            ended(2, problems=[PROBLEM], run="R-2"),
        )
        (body,) = received.bodies
        assert received.paths == ["/hook"]
        assert body["text"] == (
            "main: increment run failed: something must be put right\n"
            "Account.Name: no such field; let the worker read it\n"
            "Everything about it: `foretag runs R-1`"
        )
        assert [block["type"] for block in body["blocks"]] == ["header", "section"]


def test_a_run_that_a_limit_parks_is_told_once_and_its_end(told):
    """No API calls left, or longer than it may take; who only waits for another run, or was paused, is no news."""
    with receiving() as received:
        told(
            received.url,
            ended(75, error="RetryLater", message="12 API calls are left to this run", run="R-1"),
            ended(75, error="RetryLater", message="3 API calls are left to this run", run="R-2"),
            ended(75, error="LeaseLost"),
            ended(75, error="GateShut"),
            ended(0),
            replace(ended(75), took_too_long=True),
        )
        assert titles(received) == [
            "main: increment run was parked: no API calls are left to it",
            "main: increment run went well again",
            "main: increment run was stopped: it took too long",
        ]


def test_trouble_that_changes_is_told_again_and_its_end_once(told):
    """Another reason is news; so is the first good run, and no other."""
    with receiving() as received:
        events = (
            ended(1, message="Stopped by a bug in Foretag: KeyError at plan.py:12."),
            ended(2, problems=[PROBLEM]),
            ended(0),
            ended(0),
            ended(2, problems=[PROBLEM]),
        )
        told(received.url, *events)
        assert titles(received) == [
            "main: increment run failed: see the logs",
            "main: increment run failed: something must be put right",
            "main: increment run went well again",
            "main: increment run failed: something must be put right",
        ]
        assert "Runs failed, since 2026-11-22 12:00 UTC" in received.bodies[2]["text"]


def test_a_good_increment_does_not_end_what_ails_the_nightly_run(told):
    """But the CRM that is away is away for all, and back for all."""
    with receiving() as received:
        told(received.url, ended(1, job="full"), ended(69), ended(0))
        assert titles(received)[2] == "main: increment run went well again"
        assert "The CRM, or what runs work with, could not be reached" in received.bodies[2]["text"]
        assert "Runs failed" not in received.bodies[2]["text"]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("RetryLater", "the CRM"),
        ("HistoryAway", "the history's database"),
        ("StoreAway", "the store of local copies"),
    ],
)
def test_what_is_away_is_named(told, error, what):
    """Whoever is called looks at the right place."""
    with receiving() as received:
        told(received.url, ended(69, error=error))
        assert titles(received) == [f"main: increment run failed: {what} cannot be reached"]


def test_rules_that_wait_for_approval_are_told_with_whom_they_would_move(told, ledger):
    """And known by their digest, so that an approval ends it."""
    with receiving() as received:
        told(received.url, ended(75, awaiting=AWAITING), ended(75, awaiting=AWAITING), ended(75))
        (body,) = received.bodies
        assert body["text"].splitlines() == [
            "main: changed rules (abc123) wait for approval",
            "Tiers of account: 3 A to B, 12 none to C",
            "Tiers of opportunity: none",
            "Nothing is written until `foretag approve -c main`, which shows it in full.",
        ]
    (notice,) = ledger.notices.lasting("main")
    assert (notice.kind, notice.digest) == ("approval", "abc123")


def test_refusals_are_told_by_code_and_never_by_record(told, ledger):
    """Once while the codes are the same; a run without any ends it silently."""
    run = ledger.start_run("main", "run", NOON.date(), "rules")
    items = [Item("account", f"001{n}", "refused", "LOCKED", "Anna holds it") for n in range(3)]
    ledger.list_items(run, [*items, Item("task", "1", "held_back", "X", "")])
    with receiving() as received:
        told(received.url, ended(3, run=run), ended(3, run=run), ended(0), ended(3, run=run))
        assert titles(received) == ["main: increment run: 3 not written"] * 2
        assert "3 of account: refused, LOCKED" in received.bodies[0]["text"]
        assert "Anna" not in str(received.bodies)


def test_limits_missed_work_and_unusable_settings_are_told(told):
    """Whatever needs a person; a run that was parked or interrupted does not."""
    with receiving() as received:
        events = (
            ended(4, message="1,200 of 4,000 would change; the limit is 500"),
            Missed("main", "tasks", "Europe/Stockholm", NOON, "the worker was not there"),
            Unusable("", ("foretag.yaml:3:1: wrong",)),
            ended(75),
            ended(130),
        )
        told(received.url, *events)
        assert titles(received) == [
            "main: increment run: a limit stopped the run, nothing was written",
            "main: tasks run for Europe/Stockholm did not take place",
            "the settings cannot be used",
        ]


def test_only_what_was_asked_for_is_sent(told, ledger):
    """The rest is written down all the same: the metrics show it."""
    with receiving() as received:
        told(received.url, ended(1), ended(4), events=("stopped",))
        assert titles(received) == ["main: increment run: a limit stopped the run, nothing was written"]
    assert {notice.kind for notice in ledger.notices.lasting()} == {"failed:increment", "stopped"}


def test_a_receiver_that_stumbles_gets_it_at_last(told):
    """Tried again; counted as sent."""
    with receiving(503, 429) as received:
        assert told(received.url, ended(1)) == [("webhook", "sent")]
        assert len(received.bodies) == 1


def test_what_could_not_be_told_is_news_again_the_next_time(told):
    """All attempts failed: counted as failed, and told with the next run."""
    with receiving(500, 500, 500) as received:
        assert told(received.url, ended(1)) == [("webhook", "failed")]
        assert told(received.url, ended(1)) == [("webhook", "sent")]


def test_a_redirect_is_not_followed_and_plain_http_leaves_no_machine(told):
    """What is meant for one address is not carried to another, nor over an open line."""
    with receiving(302, 302, 302) as received:
        assert told(received.url, ended(1)) == [("webhook", "failed")]
        assert received.bodies == []
    assert told("http://hooks.example.com/x", ended(1)) == [("webhook", "failed")]


def test_nothing_of_slacks_language_comes_out_of_words(told):
    """`<!channel>` in a message would call everybody."""
    with receiving() as received:
        told(received.url, ended(1, message="<!channel> & <https://x|y> of anna@example.com"))
        assert "&lt;!channel&gt; &amp; &lt;https://x|y&gt; of (address)" in received.bodies[0]["text"]


# Mail.


class Inbox:
    """Keeps letters; lets in who knows the password."""

    def __init__(self) -> None:
        self.letters = []
        self.signed_in = []

    async def handle_DATA(self, _server, session, envelope) -> str:  # noqa: N802  # as aiosmtpd calls it
        """A letter came."""
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.signed_in.append(session.authenticated)
        return "250 OK"

    def __call__(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        """Somebody signs in."""
        return AuthResult(success=data.password == b"mail-secret", handled=False)


@pytest.fixture(params=["starttls", "tls"])
def post_office(request, tmp_path):
    """A mail server with a certificate of its own authority, that wants a password."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    inbox = Inbox()
    with taking_mail(inbox, context, tls=request.param == "tls") as port:
        yield inbox, port, request.param, tmp_path / "ca.pem"


def notify_by(post_office, password: str, monkeypatch) -> Notify:
    """Settings for a mail."""
    _, port, security, ca_file = post_office
    monkeypatch.setenv("MAIL_PASSWORD", password)
    mail = Mail(
        host="localhost",
        port=port,
        security=security,
        username="foretag",
        password=Secret(env="MAIL_PASSWORD"),
        sender="foretag@example.com",
        to=("ops@example.com", "crm@example.com"),
    )
    return Notify(mail=mail, ca_file=ca_file)


def test_a_mail_goes_out_over_tls_and_signed_in(ledger, post_office, monkeypatch):
    """To all of them, in plain text, marked as a machine's."""
    notifier = Notifier(notify_by(post_office, "mail-secret", monkeypatch), ledger, pauses=())
    notifier(ended(2, problems=[PROBLEM]))
    notifier.close(MINUTE)
    (letter,) = post_office[0].letters
    assert post_office[0].signed_in == [True]
    assert letter["Subject"] == "[Foretag] main: increment run failed: something must be put right"
    assert letter["To"] == "ops@example.com, crm@example.com"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "Account.Name: no such field; let the worker read it" in letter.get_content()


def test_a_mail_server_that_refuses_is_a_failure_without_the_password(
    ledger, post_office, monkeypatch, capsys
):
    """Nothing of what the server says is repeated."""
    counted = []
    notify = notify_by(post_office, "wrong-secret", monkeypatch)
    notifier = Notifier(notify, ledger, lambda *what: counted.append(what), pauses=())
    notifier(ended(1))
    notifier.close(MINUTE)
    assert counted == [("mail", "failed")]
    said = capsys.readouterr()
    assert "wrong-secret" not in said.out + said.err


def test_a_certificate_that_nobody_vouches_for_gets_no_mail(ledger, post_office, monkeypatch):
    """TLS is verified; there is no way to turn that off."""
    counted = []
    notify = notify_by(post_office, "mail-secret", monkeypatch).model_copy(update={"ca_file": None})
    notifier = Notifier(notify, ledger, lambda *what: counted.append(what), pauses=())
    notifier(ended(1))
    notifier.close(MINUTE)
    assert counted == [("mail", "failed")]
    assert post_office[0].letters == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"security": "none"}, "this machine alone"),
        ({"username": "me"}, "a username goes with a password"),
        ({"to": ("nobody",)}, "String should match"),
        ({"events": ("everything",)}, "Input should be"),
    ],
)
def test_settings_of_mail_that_cannot_be_right_are_refused(change, words):
    """Open lines, half a sign-in, addresses that are none, unknown events."""
    good = {"host": "mail.example.com", "sender": "a@example.com", "to": ("b@example.com",)}
    with pytest.raises(ValueError, match=words):
        Mail(**good | change)


def test_an_outbox_outlives_what_fails_after_all_attempts():
    """What was to be noted of a failure fails too, with the history away: the next item is done all the same."""
    done = []

    def handle(item):
        if item == "bad":
            raise NotTaken("no")
        done.append(item)

    def gave_up(_item):
        raise HistoryAway("away")

    box = Outbox("box", handle, gave_up, pauses=())
    box.put("bad")
    box.put("good")
    box.close(MINUTE)
    assert done == ["good"]
