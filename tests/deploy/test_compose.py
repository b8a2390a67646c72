"""Compose: the file fits the specification, holds no secret, and what it starts is confined and finds its files."""

from __future__ import annotations

import json
from pathlib import Path

import check_jsonschema
import jsonschema
import pytest
import yaml

from config.rules import load_rules
from config.settings import load_settings
from sync.cli.options import app
from tests.deploy.dockerfile import stages

CHECKED = (
    "compose.yaml",
    "compose/.gitignore",
    "compose/foretag.yaml",
    "compose/rules.yaml",
    "compose/sandbox.yaml",
)
DEPLOY = Path(__file__).parents[2] / "deploy"
SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"


@pytest.fixture(scope="module")
def compose():
    """The file, its anchors put in."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    """Its services by name."""
    return compose["services"]


def ours(services):
    """Those that are Foretag."""
    return {name: one for name, one in services.items() if one["image"] == "foretag"}


def test_the_file_fits_the_compose_specification(compose):
    """By the schema of its makers."""
    jsonschema.validate(compose, json.loads(SCHEMA.read_text()))


def test_every_container_is_confined(services):
    """A root that is read-only, no rights, no new ones, a limit of memory, time to stop, logs that end."""
    for name, one in services.items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["mem_limit"], name
        assert one["logging"]["options"]["max-file"], name
        assert "privileged" not in one, name


def test_nothing_is_shown_beyond_this_machine(services):
    """Ports are published on the loopback; the database has no network at all."""
    ports = [port for one in services.values() for port in one.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["postgres"]["network_mode"] == "none"
    assert "listen_addresses=" in services["postgres"]["command"]


def test_secrets_are_files_that_neither_git_nor_a_container_s_environment_sees(compose, services):
    """Each is used, and none stands in the file."""
    files = {name: one["file"] for name, one in compose["secrets"].items()}
    assert {name for one in services.values() for name in one.get("secrets", ())} == set(files)
    assert (DEPLOY / "compose" / ".gitignore").read_text().splitlines()[-1] == "/secrets/"
    assert all(file.startswith("./compose/secrets/") for file in files.values())
    told = {key: value for one in services.values() for key, value in one.get("environment", {}).items()}
    assert told["POSTGRES_PASSWORD_FILE"] == "/run/secrets/history_password"
    assert not [key for key in told if key.endswith(("PASSWORD", "SECRET", "TOKEN"))]


def test_the_worker_s_settings_name_what_its_container_has(services, compose):
    """Secrets, state and socket of the settings are where the container has them."""
    worker = services["worker"]
    settings = load_settings(DEPLOY / "compose" / "foretag.yaml")
    auth = settings.connections["main"].auth
    for secret in (auth.client_id, auth.client_secret, settings.history.password):
        assert secret.file.parent == Path("/run/secrets")
        assert secret.file.name in worker["secrets"]
    mounts = {part[1]: part[0] for part in (mount.split(":") for mount in worker["volumes"])}
    assert str(settings.state) in mounts
    assert settings.history.url.endswith("?host=/var/run/postgresql")
    shared = {mount.split(":")[0] for mount in services["postgres"]["volumes"]}
    assert mounts["/var/run/postgresql"] in shared
    assert set(mounts.values()) - {"./compose"} <= set(compose["volumes"])


@pytest.mark.parametrize("name", ["foretag.yaml", "sandbox.yaml"])
def test_settings_and_rules_are_good(name):
    """As `foretag check` reads them; listening where the published port leads."""
    settings = load_settings(DEPLOY / "compose" / name)
    assert settings.service.listen == "0.0.0.0:9464"
    for connection in settings.connections.values():
        load_rules(connection.rules)


def test_a_stop_waits_longer_than_a_run_may_take_to_park(services):
    """Else Docker would kill a batch in flight."""
    for name in ("foretag.yaml", "sandbox.yaml"):
        grace = load_settings(DEPLOY / "compose" / name).service.grace.total_seconds()
        for one in ours(services).values():
            assert int(one["stop_grace_period"].removesuffix("s")) >= grace + 15


def test_commands_are_ours_and_files_are_there(services):
    """What a container is told to do exists, as do its settings."""
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    for name, one in ours(services).items():
        command = one.get("command") or stages(DEPLOY / "Dockerfile")[-1].all("CMD")[0].arguments
        word = command[0].rpartition("foretag ")[2].split()[0]
        assert word in known, name
        if "FORETAG_SETTINGS" in one.get("environment", {}):
            assert (DEPLOY / "compose" / Path(one["environment"]["FORETAG_SETTINGS"]).name).is_file()


def test_to_try_it_takes_no_secret_and_no_account(services):
    """The sandbox's profile stands alone, and its parts meet on one loopback."""
    trial = {name: one for name, one in services.items() if one.get("profiles") == ["sandbox"]}
    assert set(trial) == {"sandbox", "setup", "trial"}
    assert not any(one.get("secrets") for one in trial.values())
    assert {one for part in trial.values() for one in part.get("depends_on", {})} <= set(trial)
    assert {part.get("network_mode") for part in trial.values()} == {None, "service:sandbox"}
