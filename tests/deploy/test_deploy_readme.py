"""deploy/README.md: what it tells people to type and to name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from config.settings import load_settings
from sync.cli.options import app
from tests.deploy.test_kubernetes import secrets_of

CHECKED = ("README.md",)
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def text():
    """The page."""
    return (DEPLOY / "README.md").read_text()


def test_files_that_it_names_are_there(text):
    """From the root of the sources, or beside the page."""
    named = set(re.findall(r"\bdeploy/[\w./-]*\w", text)) - {"deploy/foretag"}
    # The reader makes it, and git does not see it.
    named = {name for name in named if not name.startswith("deploy/compose/secrets")}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    beside = set(re.findall(r"`((?:kubernetes|prometheus|grafana|compose)/[\w./-]+)`", text))
    assert beside
    assert [name for name in sorted(beside) if not (DEPLOY / name).exists()] == []


def test_commands_that_it_gives_exist(text):
    """Ours, and the services of compose."""
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    given = set(re.findall(r"(?:bin/|`|-- |trial |worker |&& )foretag ([a-z]+)", text))
    assert given >= {"check", "worker", "plan", "apply", "schedule"}
    assert given - known == set()
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    asked = set(
        re.findall(
            r"compose\.yaml (?:--profile sandbox )?(?:exec|up(?: --\w+)*|build|run --rm(?: -e \w+)?) (\w+)",
            text,
        )
    )
    assert asked == {"worker", "trial"}
    assert asked <= set(services)


def test_the_secret_that_it_makes_has_what_the_example_s_settings_name(text):
    """All keys, and no other."""
    settings = load_settings(DEPLOY / "kubernetes" / "overlays" / "example" / "foretag.yaml")
    assert set(re.findall(r"--from-file=(\w+)", text)) == {
        secret.file.name for secret in secrets_of(settings)
    }


def test_settings_that_it_shows_are_good(text, tmp_path):
    """As `foretag check` reads them."""
    (shown,) = [
        block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "connections:" in block
    ]
    (tmp_path / "foretag.yaml").write_text(shown)
    settings = load_settings(tmp_path / "foretag.yaml")
    unit = (DEPLOY / "systemd" / "foretag.service").read_text()
    assert f"StateDirectory={settings.state.relative_to('/var/lib')}\n" in unit


def test_scraped_as_it_says_the_alerts_ring(text):
    """They go by the job's name."""
    (job,) = re.findall(r"job_name: (\w+)", text)
    assert f'up{{job="{job}"}}' in (DEPLOY / "prometheus" / "alerts.yaml").read_text()
