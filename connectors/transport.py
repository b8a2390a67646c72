"""One HTTP session under everything that talks to a CRM: sign-in, timeouts, retry, limits, counters.

It is a `requests.Session`, so that an SDK can be handed it and none of the SDK's own faults show: no
endless loop on 401, no request without a timeout, no blind repeat of a create. What differs between CRMs
comes in as data, a `Dialect`: how to read a failure, and which failure asks for which action.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import orjson
import requests
import structlog
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from config.problems import Problem
from config.redaction import shortened
from config.sections.loopback import is_private
from connectors.contract import AuthProblem, ConfigProblem, RecordRefused, RetryLater
from connectors.statuses import Action, Dialect, Failure, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path
    from random import Random

log = structlog.get_logger(__name__)

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# A longer wait than this is the scheduler's business, not a sleep inside a run.
LONGEST_WAIT = 300.0
MESSAGE_LENGTH = 300
_BUNDLE_FIX = "correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in the environment, or leave them out"
# As many requests may be under way at once; a connector's threads stay below.
MOST_CONNECTIONS = 16


class Authoriser(Protocol):
    """Signs in and knows the current access token. Both methods are thread-safe."""

    def token(self) -> str:
        """The current access token, signing in first if there is none."""
        ...

    def refresh(self, stale: str) -> str:
        """A token that is not the stale one; of several callers with the same stale token one signs in."""
        ...


class Limiter(Protocol):
    """Keeps requests within the CRM's rates. Both methods are thread-safe."""

    def enter(self, path: str) -> Any:
        """Wait until a request to this path may leave; what it returns comes back with the reply."""
        ...

    def leave(self, ticket: Any, response: requests.Response | None) -> None:
        """The reply came, or none will."""
        ...


class LostReply(RetryLater):
    """A request that must not be sent twice was sent, and no reply came: nobody knows whether it was done."""


class _Again(Exception):  # noqa: N818  # never leaves this module
    """Send it again, after `after` seconds at least; or raise `final` when the attempts are used up."""

    def __init__(self, final: Exception, after: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.after = after


@dataclass(slots=True)
class _Call:
    """One request on its way: what may be done with it, and the token it last carried."""

    method: str
    path: str
    repeatable: bool
    anonymous: bool
    kind: str
    foreign: bool = False
    handed_back: frozenset[str] = frozenset()
    token: str = ""
    refreshed: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class _Bearer(requests.auth.AuthBase):
    """Puts the token of the call on the request; its presence also keeps `requests` away from .netrc."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class _Adapter(HTTPAdapter):
    """A connection pool that trusts the usual certificate authorities, and one more if it is given."""

    def __init__(self, ca_file: Path | None) -> None:
        self._context = create_urllib3_context()
        self._trusted: set[tuple[Any, Any]] = set()
        if ca_file is not None:
            self._context.load_verify_locations(cafile=ca_file)
        self._tls: dict[str, Any] = {"ssl_context": self._context}
        super().__init__(pool_connections=2, pool_maxsize=MOST_CONNECTIONS, max_retries=0)

    def send(  # type: ignore[override]  # its stub names each; requests hands all but the first by name
        self, request: Any, **kwargs: Any
    ) -> requests.Response:
        """As in the base class; but whatever an SDK or a caller asks for, the server proves who it is."""
        return super().send(request, **{**kwargs, "verify": kwargs.get("verify") or True})

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """As in the base class; but authorities are read once, not anew for each connection."""
        try:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # its stub has no types
            usual = (conn.ca_certs, conn.ca_cert_dir)
            if usual not in self._trusted and any(usual):
                self._context.load_verify_locations(*usual)
                self._trusted.add(usual)
        except OSError as error:
            raise ConfigProblem(Problem(str(error), where=str(verify), fix=_BUNDLE_FIX)) from None
        conn.ca_certs = conn.ca_cert_dir = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As in the base class, with our certificate authorities."""
        super().init_poolmanager(*args, **{**kwargs, **self._tls})

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As in the base class, with our certificate authorities."""
        return super().proxy_manager_for(*args, **{**kwargs, **self._tls})


class Transport(requests.Session):
    """A pooled session to one CRM; `request` retries, signs in, counts and raises the errors of the contract.

    Args:
        name: the connection, for messages.
        origin: scheme and host of the CRM; sign-in may move it. Nothing is sent or redirected elsewhere.
        dialect: the CRM's status table and error reader.
        timeouts: seconds to connect, and seconds without a byte.
        ca_file: an extra certificate authority (PEM).
        before_send: called before each request leaves, by one thread at a time; it may raise, and nothing is
            sent then.
        limiter: lets a request leave when the CRM's rates allow it; without one, nothing is held back.
        sleep: waits some seconds; injected, as is `rng` for the jitter.
    """

    attempts = 7
    first_attempts = 3
    base_wait = 1.0
    longest_backoff = 60.0

    def __init__(  # noqa: PLR0913  # time and chance are arguments
        self,
        name: str,
        origin: str,
        dialect: Dialect,
        *,
        timeouts: tuple[float, float],
        sleep: Callable[[float], None],
        rng: Random,
        ca_file: Path | None = None,
        before_send: Callable[[], None] = lambda: None,
        limiter: Limiter | None = None,
    ) -> None:
        super().__init__()
        self._before_send = before_send
        self._leaving = threading.Lock()
        self._limiter = limiter
        self.name = name
        self.origin = self._home = origin.rstrip("/")
        self.authoriser: Authoriser | None = None
        self.observers: list[Callable[[requests.Response], None]] = []
        self.calls: Counter[str] = Counter()
        self.server_date: datetime | None = None
        self._dialect = dialect
        self._timeouts = timeouts
        self.sleep = sleep
        self.rng = rng
        self._lock = threading.Lock()
        self._environment: dict[str, Any] = {}
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = "foretag"
        adapter = _tls_adapter(name, ca_file)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    # Sending.

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request as `requests` does, with everything this module is for.

        Keywords beyond those of `requests`: `idempotent` (may it be sent twice; by default what the method
        promises), `kind` (what it is counted as), `anonymous` (no token; used to sign in), `foreign` (an address
        that the CRM itself handed out, on a host of others: no token goes there, no rate counts it), `handed_back`
        (codes of failures that the caller deals with, at once and as refusals).

        Raises:
            ConfigProblem: a person must change something. AuthProblem: the credentials.
            RetryLater: unavailable after all attempts, or an allowance is used up.
            LostReply: it may or may not have been done, and must not be sent twice.
            RecordRefused: the CRM refuses this request; `code` says why.
        """
        method = (method.decode() if isinstance(method, bytes) else method).upper()
        url = url.decode() if isinstance(url, bytes) else url
        idempotent = kwargs.pop("idempotent", None)
        call = _Call(
            method,
            urlsplit(url).path,
            method in IDEMPOTENT_METHODS if idempotent is None else idempotent,
            kwargs.pop("anonymous", False),
            kwargs.pop("kind", "other"),
            kwargs.pop("foreign", False),
            kwargs.pop("handed_back", frozenset()),
        )
        call.anonymous = call.anonymous or call.foreign
        kwargs["timeout"] = kwargs.get("timeout") or self._timeouts
        kwargs["headers"] = _without_authorization(kwargs.get("headers"))
        try:
            return self._retrying()(self._send, call, url, args, kwargs)
        except _Again as again:
            raise again.final from None

    def _send(
        self, call: _Call, url: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> requests.Response:
        response = self._exchange(call, url, args, kwargs)
        failure = self._failure(response)
        if failure is None:
            return response
        response.close()
        rule = self._dialect.rule(failure)
        if rule.action is Action.REFRESH and not call.anonymous and self.authoriser is not None:
            self._refresh(self.authoriser, call, failure, rule)
            return self._send(call, url, args, kwargs)
        raise self._error(call, failure, rule, _retry_after(response))

    def _exchange(
        self, call: _Call, url: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> requests.Response:
        """Put the request on the wire once; connection faults become errors of the contract."""
        if not call.anonymous and self.authoriser is not None:
            call.token = self.authoriser.token()
        try:
            response = self._paced(call, self._target(call, url), args, kwargs)
        except requests.RequestException as error:
            raise self._broken(call, error) from None
        self._observe(response)
        if not kwargs.get("stream") and _short(response):
            raise self._lost(call, "the reply was cut short")
        return response

    def _paced(
        self, call: _Call, target: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> requests.Response:
        """Send it as soon as the CRM's rates allow."""
        limiter = None if call.foreign else self._limiter
        ticket = limiter.enter(call.path) if limiter is not None else None
        response: requests.Response | None = None
        try:
            with self._leaving:
                self._before_send()
            with self._lock:
                self.calls[call.kind] += 1
            response = super().request(call.method, target, *args, **{"auth": _Bearer(call.token), **kwargs})
        finally:
            if limiter is not None:
                limiter.leave(ticket, response)
        return response

    def _refresh(self, authoriser: Authoriser, call: _Call, failure: Failure, rule: Rule) -> None:
        if call.refreshed:
            raise AuthProblem(
                Problem(
                    f"{rule.message}, although we just signed in again ({_said(failure)}, {call})",
                    where=self.name,
                    fix=rule.fix,
                )
            )
        call.refreshed = True
        authoriser.refresh(call.token)

    # Judging.

    def _failure(self, response: requests.Response) -> Failure | None:
        """What is wrong with a reply: an error status, or a web page where data should be."""
        if response.status_code < 300 or response.status_code == 304:
            if "text/html" in response.headers.get("Content-Type", ""):
                return Failure(response.status_code, "HTML", "a web page instead of data")
            return None
        return self._dialect.read_failure(response)

    def error(self, failure: Failure, where: str) -> Exception:
        """The error of the contract for a failure that came inside a good reply; nothing is sent again."""
        method, _, path = where.partition(" ")
        call = _Call(method, path, repeatable=True, anonymous=False, kind="")
        error = self._error(call, failure, self._dialect.rule(failure), None)
        return error.final if isinstance(error, _Again) else error

    def _error(self, call: _Call, failure: Failure, rule: Rule, after: float | None) -> Exception:
        """The error of the contract for a failure, or `_Again` if it is worth another attempt."""
        text = f"{rule.message}: {_said(failure)} ({call})"
        if failure.code in call.handed_back:
            return RecordRefused(f"{self.name}: {text}", code=failure.code, fields=failure.fields)
        if rule.action is Action.RETRY:
            return self._retry_or_lose(call, text, rule, after)
        if rule.action is Action.PARK:
            return RetryLater(f"{self.name}: {text}; {rule.fix}", after=after, quota=True)
        if rule.action is Action.REFUSE:
            return RecordRefused(f"{self.name}: {text}", code=failure.code, fields=failure.fields)
        problem = Problem(text, where=self.name, fix=rule.fix)
        return AuthProblem(problem) if rule.action is Action.REFRESH else ConfigProblem(problem)

    def _retry_or_lose(self, call: _Call, text: str, rule: Rule, after: float | None) -> Exception:
        message = f"{self.name}: {text}" + (f"; {rule.fix}" if rule.fix else "")
        if not (call.repeatable or rule.harmless):
            return LostReply(f"{message}; whether it was done is not known", after=after)
        after = max(after or 0.0, rule.pause) or None
        if after is not None and after > LONGEST_WAIT:
            return RetryLater(message, after=after)
        return _Again(RetryLater(message, after=after), after)

    def _broken(self, call: _Call, error: requests.RequestException) -> Exception:
        """The error for a connection that failed; the library's text may hold queries: it is not shown."""
        if isinstance(error, requests.exceptions.SSLError):
            return ConfigProblem(
                Problem(
                    f"the certificate of {self.origin} is not trusted",
                    where=self.name,
                    fix="set `ca_file` to your company's certificate authority, or correct `url`",
                )
            )
        if _never_sent(error):
            return _Again(
                RetryLater(
                    f"{self.name}: {self.origin} cannot be reached; "
                    "check `url`, the network and the proxy settings"
                )
            )
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return ConfigProblem(
                Problem(f"{self.origin} is not a usable address", where=self.name, fix="correct `url`")
            )
        timeout = isinstance(error, requests.exceptions.Timeout)
        return self._lost(call, "no reply in time" if timeout else "the connection broke")

    def _lost(self, call: _Call, what: str) -> Exception:
        message = f"{self.name}: {what} ({call})"
        if call.repeatable:
            return _Again(RetryLater(message))
        return LostReply(f"{message}; whether it was done is not known")

    # Waiting.

    def _retrying(self) -> Retrying:
        attempts = self.attempts if self.server_date is not None else self.first_attempts
        return Retrying(
            stop=stop_after_attempt(attempts),
            wait=self._wait,
            sleep=self.sleep,
            reraise=True,
            retry=retry_if_exception_type(_Again),
        )

    def _wait(self, state: RetryCallState) -> float:
        """Exponential backoff with full jitter, and never less than the CRM asked for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, _Again) else None
        ceiling = min(self.longest_backoff, self.base_wait * 2 ** (state.attempt_number - 1))
        wait = max(self.rng.uniform(0, ceiling), asked or 0.0)
        log.info("crm.retry", attempt=state.attempt_number, wait=round(wait, 2), why=str(error))
        return wait

    # Looking after the session.

    def _target(self, call: _Call, url: str) -> str:
        """The absolute address of a path or of an address on our CRM; any other host is refused."""
        if call.foreign and is_private(url):
            return url
        parts = urlsplit(url)
        if not parts.netloc:
            return f"{self.origin}/{url.lstrip('/')}"
        for own in (self.origin, self._home):
            if parts.netloc.lower() == urlsplit(own).netloc.lower():
                # An SDK may insist on https where the local sandbox speaks http: the scheme is ours.
                return own + url.split(parts.netloc, 1)[1]
        raise self._elsewhere(parts.netloc)

    def _elsewhere(self, host: str) -> ConfigProblem:
        return ConfigProblem(
            Problem(
                f"{self.origin} points to another host, {host}; credentials are not sent there",
                where=self.name,
                fix="set `url` to the address the CRM shows after sign-in",
            )
        )

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As in the base class, but the environment is read once for each host, not for each request."""
        if proxies or verify is not None or cert:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        host = urlsplit(url).netloc
        if host not in self._environment:
            self._environment[host] = super().merge_environment_settings(url, {}, None, None, None)
        return {**self._environment[host], "stream": self.stream if stream is None else stream}

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """A redirect is followed for reads on the same host only."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        host = urlsplit(target).netloc
        if host and host.lower() != urlsplit(resp.url).netloc.lower():
            raise self._elsewhere(host)
        return target if resp.request.method in ("GET", "HEAD") else None

    def rebuild_auth(self, *_: Any) -> None:
        """Keep the header on a redirect (it stays on our host) and never read .netrc."""

    def _observe(self, response: requests.Response) -> None:
        stamp = _date(response.headers.get("Date"))
        with self._lock:
            if stamp is not None:
                self.server_date = stamp
        for observer in self.observers:
            observer(response)


def _tls_adapter(name: str, ca_file: Path | None) -> _Adapter:
    try:
        return _Adapter(ca_file)
    except (OSError, ssl.SSLError) as error:
        # An SSLError is an OSError, too: the file is there, but is no certificate.
        said = "is not a PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigProblem(
            Problem(
                f"the certificate authority file {ca_file} cannot be used: {said}",
                where=name,
                fix="correct `ca_file`",
            )
        ) from None


def _without_authorization(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """The caller's headers without a token of its own: an SDK keeps the one it was born with."""
    return {key: value for key, value in (headers or {}).items() if key.lower() != "authorization"}


def _said(failure: Failure) -> str:
    """The CRM's own words, on one line and of bearable length."""
    words = shortened(" ".join(failure.message.split()), MESSAGE_LENGTH)
    return " ".join(part for part in (str(failure.status), failure.code, words) if part)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None


def _retry_after(response: requests.Response) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date by the CRM's own clock."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdigit():
        return float(header)
    until, now = _date(header), _date(response.headers.get("Date"))
    return None if until is None or now is None else max((until - now).total_seconds(), 0.0)


def _short(response: requests.Response) -> bool:
    """Whether a reply that was read whole is shorter than announced, or is JSON that ends too early."""
    announced = response.headers.get("Content-Length", "")
    if response.request.method == "HEAD" or response.status_code in (204, 304):
        return False
    if announced.isdigit():
        return bool(response.raw.tell() < int(announced))
    # Framed by the end of the connection: only the content can tell.
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "")
    if chunked or "json" not in response.headers.get("Content-Type", ""):
        return False
    try:
        read_json(response)
    except ValueError:
        return True
    return False


def read_json(response: requests.Response) -> Any:
    """The parsed body; bytes that are not UTF-8 become lone surrogates and spoil only their cell."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        # Strict and quick has failed; lenient and slow may do.
        return json.loads(response.content.decode("utf-8", "surrogateescape"))


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the request cannot have reached the CRM: no connection was made."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    return any(isinstance(cause, NewConnectionError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterable[BaseException]:
    """The error, and what lies beneath it in the libraries' wrappings."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
