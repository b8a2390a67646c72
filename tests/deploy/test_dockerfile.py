"""The image: what a look at the Dockerfile tells. That it builds and works: test_image.py."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.sections.service import Service
from tests.deploy.dockerfile import context, stages

CHECKED = ("Dockerfile", "Dockerfile.dockerignore")
ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORE = ROOT / "deploy" / "Dockerfile.dockerignore"
SECRET = re.compile(r"secret|token|password|key", re.IGNORECASE)


@pytest.fixture(scope="module")
def runtime():
    """The stage that becomes the image."""
    return stages(DOCKERFILE)[-1]


def test_sources_and_build_tools_stay_behind(runtime):
    """Two stages; of the first one only the finished environment is taken."""
    builder, last = stages(DOCKERFILE)
    assert builder.base == last.base
    assert [(one.flags.get("from"), one.arguments) for one in last.all("COPY")] == [
        (builder.name, ["/opt/foretag", "/opt/foretag"])
    ]


def test_what_is_installed_is_what_the_lock_says():
    """Nothing is resolved anew: neither libraries nor the build backend."""
    commands = " ".join(one.rest for one in stages(DOCKERFILE)[0].all("RUN"))
    assert re.search(r"uv sync .*--frozen .*--no-dev", commands)
    assert "--require-hashes" in commands
    assert "uv pip install" in commands
    assert "--no-deps --no-index" in commands
    assert "ADD" not in {one.word for stage in stages(DOCKERFILE) for one in stage.instructions}


def test_it_runs_as_nobody_from_a_root_that_nothing_is_written_to(runtime):
    """A number for the user, as Kubernetes wants it; the state folder is a volume."""
    (user,), (volume,) = runtime.all("USER"), runtime.all("VOLUME")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.text)
    assert volume.arguments == ["/var/lib/foretag"]
    assert runtime.environment["PYTHONSAFEPATH"] == "1"
    assert runtime.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    words = [one.word for one in runtime.instructions]
    assert not [word for word in words[words.index("USER") :] if word in ("RUN", "COPY")]


def test_it_is_the_worker_and_is_asked_how_it_is(runtime):
    """Stopped by SIGTERM, as the worker expects, and asked at the worker's own port."""
    port = Service().listen.rpartition(":")[2]
    (entry,), (command,), (health,) = (runtime.all(word) for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    assert entry.arguments + command.arguments == ["foretag", "worker"]
    assert [one.text for one in runtime.all("EXPOSE")] == [port]
    assert f"http://127.0.0.1:{port}/healthz" in health.text
    assert [one.text for one in runtime.all("STOPSIGNAL")] == ["SIGTERM"]


def test_no_secret_can_get_into_it():
    """No variable or argument of a secret's name, and nothing of the checkout but sources."""
    for stage in stages(DOCKERFILE):
        assert not [name for name in stage.environment if SECRET.search(name)]
        assert not [one for one in stage.all("ARG") if SECRET.search(one.text)]
    tops = {path.parts[0] for path in context(ROOT, IGNORE)}
    assert tops == {
        "pyproject.toml",
        "uv.lock",
        "README.md",
        "LICENSE",
        "config",
        "connectors",
        "scoring",
        "sync",
    }


def test_a_stray_file_of_the_checkout_stays_out(tmp_path):
    """Settings, state and caches that lie beside the sources are no part of the build."""
    for name in (
        "foretag.yaml",
        ".foretag/ledger.db",
        "sync/cli/__pycache__/a.pyc",
        "sync/cli/a.py",
        "uv.lock",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.as_posix() for path in context(tmp_path, IGNORE)] == ["sync/cli/a.py", "uv.lock"]


def test_the_health_check_tells_a_worker_that_hangs_from_one_that_lives(runtime):
    """The command itself, asked where nobody answers, fails."""
    (health,) = runtime.all("HEALTHCHECK")
    *_, code = re.findall(r'"((?:[^"\\]|\\.)*)"', health.text)
    done = subprocess.run(
        [sys.executable, "-c", code.replace(":9464/", ":9/")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "urlopen error" in done.stderr
