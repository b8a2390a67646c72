"""Which certificates are trusted: the usual authorities' and the company's own, and no others."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from connectors.contract import ConfigProblem
from connectors.hubspot.statuses import HUBSPOT
from connectors.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connectors.sandbox.server import Sandbox


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A portal with a certificate of its own authority."""
    return make_sandbox(crm="hubspot")


def transport(sandbox: Sandbox, ca_file: Path | None) -> Transport:
    """A session to the portal."""
    return Transport(
        "acme",
        sandbox.url,
        HUBSPOT,
        timeouts=(5, 5),
        sleep=lambda _: None,
        rng=random.Random(1),
        ca_file=ca_file,
    )


def ask(made: Transport) -> None:
    """A request for which the portal wants a token that there is not."""
    with pytest.raises(ConfigProblem, match="401"):
        made.request("GET", "/account-info/v3/details")


def test_a_certificate_of_an_unknown_authority_is_refused(sandbox: Sandbox) -> None:
    """And the message says where to name it."""
    with pytest.raises(ConfigProblem, match="not trusted; set `ca_file`"):
        transport(sandbox, None).request("GET", "/account-info/v3/details")


@pytest.mark.parametrize("named", ["ca_file", "REQUESTS_CA_BUNDLE"])
def test_the_companys_own_authority_is_trusted(
    named: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By our setting, or by the environment that every Python program of the company has."""
    if named == "REQUESTS_CA_BUNDLE":
        monkeypatch.setenv(named, str(sandbox.ca_file))
    ask(transport(sandbox, sandbox.ca_file if named == "ca_file" else None))


def test_the_authorities_are_read_once_not_for_each_connection(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some hundred certificates cost as much as reading a thousand records."""
    made = transport(sandbox, sandbox.ca_file)
    context: Any = made.get_adapter(sandbox.url)._context  # type: ignore[attr-defined]  # nothing outside shows it
    load, loads = context.load_verify_locations, []

    def counting(*where: Any) -> None:
        loads.append(where)
        load(*where)

    monkeypatch.setattr(context, "load_verify_locations", counting)
    for _ in range(3):
        ask(made)
        made.close()
    assert len(loads) == 1


def test_an_authority_that_is_not_there_is_not_passed_over(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rather no connection than one that trusts less or more than was meant."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(ConfigProblem, match=r"gone\.pem; correct REQUESTS_CA_BUNDLE"):
        transport(sandbox, sandbox.ca_file).request("GET", "/account-info/v3/details")
