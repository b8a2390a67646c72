"""The transport: what it sends, repeats, refuses, counts and never shows."""

from __future__ import annotations

import gzip
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from responses import matchers

from connectors.contract import AuthProblem, ConfigProblem, RetryLater, Truncated
from connectors.downloads import fetch
from connectors.salesforce.statuses import SALESFORCE
from connectors.transport import LONGEST_WAIT, Transport, read_json

if TYPE_CHECKING:
    from connectors.statuses import Rule

ORIGIN = "https://acme.my.salesforce.com"
URL = f"{ORIGIN}/services/data/v62.0/limits"


class Tokens:
    """An authoriser that hands out numbered tokens."""

    def __init__(self) -> None:
        self.number = 1
        self.lock = threading.Lock()

    def token(self) -> str:
        """The current token."""
        return f"token-{self.number}"

    def refresh(self, stale: str) -> str:
        """The next token, unless somebody else fetched it already."""
        with self.lock:
            if stale == self.token():
                self.number += 1
            return self.token()


@pytest.fixture
def waits() -> list[float]:
    """The waits that the transport would have slept."""
    return []


@pytest.fixture
def transport(waits: list[float]) -> Transport:
    """A transport to a Salesforce that `responses` plays."""
    made = Transport(
        "acme", ORIGIN, SALESFORCE, timeouts=(3.0, 7.0), sleep=waits.append, rng=random.Random(7)
    )
    made.authoriser = Tokens()
    return made


def status_of(rule: Rule) -> int:
    """A status that a row speaks of."""
    if isinstance(rule.status, range):
        return rule.status[1]
    return rule.status or 400


def reply_to(rule: Rule) -> dict[str, Any]:
    """A reply that only this row, of all the rows of the table, speaks of."""
    if rule.code == "HTML":
        return {"status": 200, "body": "<html>Sign in</html>", "content_type": "text/html"}
    code = rule.code or "SOMETHING_ELSE"
    return {"status": status_of(rule), "json": [{"errorCode": code, "message": f"a {rule.text} limit"}]}


@responses.activate
def test_an_expired_session_is_renewed_once_and_the_call_repeated_with_its_headers(
    transport: Transport,
) -> None:
    """The second request differs in its token alone."""
    expired = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    responses.get(URL, status=401, json=expired)
    responses.get(
        URL, json={"fine": True}, match=[matchers.header_matcher({"Authorization": "Bearer token-2"})]
    )
    transport.request("GET", URL, headers={"Sforce-Query-Options": "batchSize=200", "authorization": "stale"})
    first, second = (dict(call.request.headers) for call in responses.calls)
    assert first.pop("Authorization") == "Bearer token-1"
    assert second.pop("Authorization") == "Bearer token-2"
    assert first == second
    assert first["Sforce-Query-Options"] == "batchSize=200"


@responses.activate
def test_a_second_401_is_an_auth_problem(transport: Transport, waits: list[float]) -> None:
    """No loop: a session that is refused right after signing in needs a person."""
    responses.get(URL, status=401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "no"}])
    with pytest.raises(AuthProblem, match="although we just signed in again"):
        transport.request("GET", URL)
    assert len(responses.calls) == 2
    assert waits == []


@responses.activate
def test_many_threads_with_one_expired_token_sign_in_once(transport: Transport) -> None:
    """Single flight: the token is renewed by one, used by all."""

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        if request.headers["Authorization"] == "Bearer token-1":
            return 401, {}, '[{"errorCode": "INVALID_SESSION_ID", "message": ""}]'
        return 200, {}, "{}"

    responses.add_callback("GET", URL, reply)
    threads = [threading.Thread(target=transport.request, args=("GET", URL)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert transport.authoriser is not None
    assert transport.authoriser.token() == "token-2"


class Gate:
    """A limiter that lets everything pass and keeps what it is told; `before_send` is told here, too."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def enter(self, path: str) -> str:
        """A request wants to leave."""
        self.told.append(path)
        return path

    def leave(self, ticket: str, response: requests.Response | None) -> None:
        """Its reply came, or none will."""
        self.told.append((ticket, None if response is None else response.status_code))

    def before_send(self) -> None:
        """It leaves."""
        self.told.append("leaves")


@responses.activate
def test_the_limiter_hears_how_every_request_ended(waits: list[float]) -> None:
    """Also of one without a reply, whose place would be taken for ever; files on other hosts count nowhere."""
    gate, made = Gate(), {"timeouts": (1.0, 1.0), "sleep": waits.append, "rng": random.Random(7)}
    transport = Transport("acme", ORIGIN, SALESFORCE, limiter=gate, before_send=gate.before_send, **made)
    path = URL.removeprefix(ORIGIN)
    responses.get(URL, body=requests.ConnectionError("reset"))
    responses.get(URL, status=503)
    responses.get(URL, json={})
    transport.request("GET", URL)
    ends = [None, 503, 200]
    # Asked for last, when the wait for the rate is over: a lease may have run out meanwhile.
    assert gate.told == [step for end in ends for step in (path, "leaves", (path, end))]
    responses.get("https://files.example/result", body=b"id")
    transport.request("GET", "https://files.example/result", foreign=True)
    assert gate.told[9:] == ["leaves"]


@responses.activate
def test_one_thread_at_a_time_is_asked_whether_it_may_send(waits: list[float]) -> None:
    """What is asked there keeps accounts, and was not made for several threads."""
    both, met = threading.Barrier(2), []

    def before_send() -> None:
        try:
            both.wait(0.2)
        except threading.BrokenBarrierError:
            return
        met.append(1)

    made = {"timeouts": (1.0, 1.0), "sleep": waits.append, "rng": random.Random(7)}
    transport = Transport("acme", ORIGIN, SALESFORCE, before_send=before_send, **made)
    responses.get(URL, json={})
    threads = [threading.Thread(target=transport.request, args=("GET", URL)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(responses.calls) == 2
    assert met == []


@responses.activate
def test_what_may_not_be_sent_is_not(waits: list[float]) -> None:
    """The error of whoever was asked passes through, and no place of the rate is kept."""

    def stop() -> None:
        raise RetryLater("told to stop")

    gate, made = Gate(), {"timeouts": (1.0, 1.0), "sleep": waits.append, "rng": random.Random(7)}
    transport = Transport("acme", ORIGIN, SALESFORCE, limiter=gate, before_send=stop, **made)
    responses.get(URL, json={})
    with pytest.raises(RetryLater, match="told to stop"):
        transport.request("GET", URL)
    assert len(responses.calls) == 0
    assert gate.told[-1] == (URL.removeprefix(ORIGIN), None)
    assert not transport.calls


@responses.activate
def test_retry_after_is_honoured_and_jitter_is_full(transport: Transport, waits: list[float]) -> None:
    """Never before the CRM says so; else anywhere below an exponential ceiling."""
    responses.get(URL, status=503, headers={"Retry-After": "40"})
    responses.get(URL, status=503)
    responses.get(URL, json={})
    transport.request("GET", URL)
    assert waits[0] == 40
    assert 0 <= waits[1] <= 2


@responses.activate
def test_a_retry_after_date_is_read_by_the_crms_clock(transport: Transport, waits: list[float]) -> None:
    """Our own clock may be wrong by minutes."""
    headers = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT"}
    responses.get(URL, status=503, headers=headers)
    responses.get(URL, json={})
    transport.request("GET", URL)
    assert waits == [30]


@responses.activate
def test_a_wait_too_long_for_a_run_is_left_to_the_scheduler(transport: Transport, waits: list[float]) -> None:
    """An hour's Retry-After ends the run, and says when to come back."""
    responses.get(URL, status=503, headers={"Retry-After": str(int(LONGEST_WAIT) + 1)})
    with pytest.raises(RetryLater) as caught:
        transport.request("GET", URL)
    assert caught.value.after == LONGEST_WAIT + 1
    assert waits == []


@responses.activate
def test_every_request_has_both_timeouts(transport: Transport) -> None:
    """A request without a timeout can hang a worker for ever."""
    seen: list[Any] = []
    responses.add_callback(
        "GET", URL, lambda request: seen.append(request.req_kwargs["timeout"]) or (200, {}, "{}")
    )
    transport.request("GET", URL)
    transport.get(URL)
    assert seen == [(3.0, 7.0), (3.0, 7.0)]


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/x", "https://acme.my.salesforce.com.evil.example/"]
)
def test_no_other_host_is_ever_asked(address: str, transport: Transport) -> None:
    """Our token goes to our CRM only."""
    with pytest.raises(ConfigProblem, match="another host"):
        transport.request("GET", address)


@responses.activate
def test_a_redirect_to_another_host_is_refused(transport: Transport) -> None:
    """Neither the token nor the question follows it."""
    responses.get(URL, status=302, headers={"Location": "https://login.example/"})
    with pytest.raises(ConfigProblem, match=r"login\.example"):
        transport.request("GET", URL)
    assert len(responses.calls) == 1


@responses.activate
def test_a_write_is_never_redirected(transport: Transport) -> None:
    """A redirected POST would arrive as a GET and be lost."""
    responses.post(URL, status=301, headers={"Location": "/elsewhere"})
    with pytest.raises(ConfigProblem, match="My Domain"):
        transport.request("POST", URL, json={})
    assert len(responses.calls) == 1


@responses.activate
def test_netrc_is_not_read(transport: Transport, monkeypatch: Any, tmp_path: Any) -> None:
    """A password in somebody's home folder must not replace the token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine acme.my.salesforce.com login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    responses.get(URL, json={})
    transport.request("GET", URL)
    transport.request("GET", URL, anonymous=True)
    assert responses.calls[0].request.headers["Authorization"] == "Bearer token-1"
    assert "Authorization" not in responses.calls[1].request.headers


@responses.activate
def test_messages_show_neither_token_nor_query(transport: Transport) -> None:
    """A query names records and stamps; messages name the path alone."""
    responses.get(URL, status=500, json=[{"errorCode": "UNKNOWN_EXCEPTION", "message": "oops"}])
    with pytest.raises(RetryLater) as caught:
        transport.request("GET", f"{URL}?q=SELECT+Name+FROM+Account+WHERE+Name+=+'Jo'")
    assert "Jo" not in str(caught.value)
    assert "token" not in str(caught.value)


@responses.activate
def test_calls_are_counted_by_kind_and_attempt(transport: Transport) -> None:
    """Every request on the wire counts, repeats included."""
    responses.get(URL, status=503)
    responses.get(URL, json={})
    transport.request("GET", URL, kind="limits")
    assert transport.calls == {"limits": 2}


@responses.activate
def test_a_body_shorter_than_announced_is_asked_for_again(transport: Transport) -> None:
    """Content-Length against what was read."""
    responses.get(URL, body="{}", headers={"Content-Length": "10"}, auto_calculate_content_length=False)
    responses.get(URL, json={"whole": 1})
    assert read_json(transport.request("GET", URL)) == {"whole": 1}


@responses.activate
def test_json_that_ends_with_the_connection_too_early_is_asked_for_again(transport: Transport) -> None:
    """Without a length only the content can tell."""
    responses.get(URL, body='{"records": [1,', content_type="application/json")
    responses.get(URL, json={"whole": 1})
    assert read_json(transport.request("GET", URL)) == {"whole": 1}


def test_one_byte_that_is_not_utf8_does_not_spoil_a_json_page() -> None:
    """It becomes a lone surrogate in its own cell."""
    reply = responses.Response("GET", URL, body=b'{"a": "\xff", "b": "good"}')
    with responses.RequestsMock() as mocked:
        mocked.add(reply)
        import requests

        parsed = read_json(requests.get(URL, timeout=1))
    assert parsed["b"] == "good"


@responses.activate
def test_a_download_that_is_cut_is_fetched_again_and_then_given_up(transport: Transport) -> None:
    """Three more attempts, then `Truncated`."""
    half = gzip.compress(b"0123456789" * 1000)[:-20]
    responses.get(URL, body=half, headers={"Content-Encoding": "gzip"})

    def parse(download: Any) -> int:
        try:
            return len(download.open().read())
        except OSError:
            raise Truncated("cut") from None

    with pytest.raises(Truncated):
        fetch(transport, URL, parse)
    assert len(responses.calls) == 4


def test_an_unreachable_host_says_so_soon(waits: list[float]) -> None:
    """A wrong address is not retried for minutes."""
    transport = Transport(
        "acme", "http://127.0.0.1:9", SALESFORCE, timeouts=(1, 1), sleep=waits.append, rng=random.Random(1)
    )
    with pytest.raises(RetryLater, match=r"http://127\.0\.0\.1:9 cannot be reached; check `url`"):
        transport.request("POST", "/services/oauth2/token", anonymous=True)
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("not a key", "is not a PEM certificate")]
)
def test_a_certificate_authority_file_that_is_none_is_named(
    tmp_path: Any, content: str | None, words: str
) -> None:
    """The message names the file and what is wrong with it."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ConfigProblem, match=f"ca.pem cannot be used: {words}"):
        Transport(
            "acme",
            ORIGIN,
            SALESFORCE,
            timeouts=(1, 1),
            sleep=lambda _: None,
            rng=random.Random(1),
            ca_file=tmp_path / "ca.pem",
        )
