"""What tests of several packages share: sandboxes, Node's clients, and the rule about missing tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.crms import CRMS
from tests.node_clients import install_node_clients
from tests.object_store import bucket_storage, object_store  # noqa: F401  # fixtures of all tests
from tests.postgres import history, postgres  # noqa: F401  # fixtures of all tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.sandbox.server import Sandbox
    from tests.world import World

# Machines are shared and differ in speed; a slow example is not a wrong one.
settings.register_profile("foretag", deadline=None)
settings.load_profile("foretag")

# A skip for lack of a tool says so with one of these words first: `pytest.skip("needs Node: ...")`.
TOOLS = tuple(
    f"needs {tool}:"
    for tool in (
        "Node", "Chromium", "PostgreSQL", "kubectl", "promtool", "systemd-analyze", "systemd-sysusers", "unshare",
    )
)  # fmt: skip
# Small enough to be made anew for every test.
SMALL_BOOK = "synthetic:40:200"


@pytest.fixture(autouse=True)
def _no_secrets_of_others() -> Iterator[None]:
    """What one test read as a secret is a word like any other in the next."""
    from config import redaction

    yield
    redaction._PROCESS.__init__()  # type: ignore[misc]  # the functions of the module are bound to it


@pytest.fixture(params=CRMS)
def crm(request: Any) -> str:
    """Each CRM that the shared tests run against."""
    name: str = request.param
    return name


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes with a small book, with the arguments of `Sandbox`; they stop with the test."""
    from connectors.sandbox.server import Sandbox

    running: list[Sandbox] = []

    def make(**options: object) -> Sandbox:
        sandbox = Sandbox(**{"data": SMALL_BOOK, **options}).start()
        running.append(sandbox)
        return sandbox

    yield make
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def sandbox(make_sandbox) -> Sandbox:
    """One running sandbox with a small book."""
    return make_sandbox()


@pytest.fixture
def make_world(crm, make_sandbox, tmp_path) -> Callable[..., World]:
    """Make a world with our fields in it; options go to the sandbox. `plain_key`: tasks have no unique field."""

    def make(*, plain_key: bool = False, **options: Any) -> World:
        from sync.demo import set_up
        from tests.world import World

        world = World(make_sandbox(crm=crm, **options), tmp_path)
        if plain_key:
            with world.admin() as admin:
                world.people.make_plain_key(admin)
        set_up(world.settings)
        world.people.let_in()
        return world

    return make


@pytest.fixture
def world(make_world) -> World:
    """A world with a small book and our fields, before the first run."""
    return make_world()


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder with the pinned Node clients, installed on first use. Mark the test `needs_node`."""
    return install_node_clients()


def _lacking_tools(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    reasons = {(report.nodeid, str(report.longrepr[2]).removeprefix("Skipped: ")) for report in skipped}
    return sorted(f"{name}: {reason}" for name, reason in reasons if reason.startswith(TOOLS))


def _tried(reporter: pytest.TerminalReporter) -> list[str]:
    """What the fault tests tried, and how many times."""
    done = [report for reports in reporter.stats.values() for report in reports if hasattr(report, "nodeid")]
    told = {(one.nodeid, *said) for one in done for said in getattr(one, "user_properties", ())}
    return sorted(f"{nodeid.rpartition('::')[2]}: {what}" for nodeid, name, what in told if name == "tried")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what faults were tried; list the tests that did not run for lack of a tool: silence is not success."""
    tried = _tried(terminalreporter)
    if tried:
        terminalreporter.section("faults tried")
        terminalreporter.write_line("\n".join(tried))
    lacking = _lacking_tools(config)
    if lacking:
        terminalreporter.section(f"{len(lacking)} not run for lack of a tool", red=bool(os.environ.get("CI")))
        terminalreporter.write_line("\n".join(lacking))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must be installed (CI is set), a test without its tool is a failure of the run."""
    if os.environ.get("CI") and _lacking_tools(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
