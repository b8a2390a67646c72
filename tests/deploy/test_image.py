"""The image, built by the Dockerfile's own steps where there is no container engine, and run as it would be."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy import image
from tests.deploy.dockerfile import stages

CHECKED = ()
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("image")]
STAGE = stages(image.DOCKERFILE)[-1]
USER, GROUP = STAGE.all("USER")[0].text.split(":")


class Container:
    """The image with a read-only root, a state volume and a /tmp, as its user; `mounts` are folders of this machine."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.volume = folder / "volume"
        for part in (folder, self.volume):
            part.mkdir(exist_ok=True)
        self.volume.chmod(0o777)

    def command(self, *arguments, mounts=None, settings="/etc/foretag/foretag.yaml"):
        """The command line that starts it."""
        binds = {str(self.volume): "/var/lib/foretag", **(mounts or {})}
        shell = [
            # The runner's own folders are closed to the image's user, whose Python lies there.
            f"chmod 755 ROOT{Path.home()}",
            "mount -t tmpfs -o mode=1777 tmpfs ROOT/tmp",
            *(
                f"mkdir -p ROOT{target} && mount --bind {shlex.quote(source)} ROOT{target}"
                for source, target in binds.items()
            ),
            # Of this mount alone: what is mounted inside stays as it is.
            "mount -o remount,bind,ro ROOT",
        ]
        become = ["setpriv", "--no-new-privs"]
        if os.geteuid() == 0:
            become += [f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", "--bounding-set=-all"]
        entered = image.Root(self.root.folder, {**self.root.environment, "FORETAG_SETTINGS": settings})
        return entered.command(
            *become, *arguments, shell=tuple(shell), directory=STAGE.all("WORKDIR")[0].text
        )

    def run(self, *arguments, **options):
        """What a command in it says."""
        return subprocess.run(
            self.command(*arguments, **options), capture_output=True, text=True, timeout=240, check=False
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The last stage's root."""
    why = image.why_not()
    if why is not None:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("image")
    yield image.build(folder)
    # Two gigabytes, that pytest would keep for three runs.
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def container(built, tmp_path):
    """A container of the image, before anything has run in it."""
    return Container(built, tmp_path / "container")


def test_it_is_the_installed_program_and_no_source(container):
    """The entry point answers; what is imported lies in the environment, compiled; no tool of the build came along."""
    done = container.run(*STAGE.all("ENTRYPOINT")[0].arguments, "--help")
    assert done.returncode == 0, done.stderr
    assert "worker" in done.stdout
    where = container.run(
        "python", "-c", "import sync.cli as s; print(s.__file__, s.__cached__)"
    ).stdout.split()
    assert all(one.startswith("/opt/foretag/lib/python3") for one in where)
    assert container.run("ls", where[1]).returncode == 0
    for name in ("pytest", "hatchling", "moto"):
        assert container.run("python", "-c", f"import {name}").returncode != 0
    assert not (container.root.written / "src").exists()


def test_the_whole_job_is_done_on_a_read_only_root_as_nobody(container):
    """Settings are checked, a real book is scored and written twice; outside of /tmp and the volume nothing can be."""
    me = container.run(
        "sh", "-c", "id -u; touch /opt/foretag/x; touch /etc/x; touch /var/lib/foretag/x && echo state"
    )
    if os.geteuid() == 0:
        assert me.stdout.split() == [USER, "state"]
    assert me.stderr.count("Read-only file system") + me.stderr.count("Permission denied") == 2
    compose = {str(image.ROOT / "deploy" / "compose"): "/etc/foretag"}
    done = container.run(
        "foretag", "check", "/etc/foretag/foretag.yaml", "/etc/foretag/rules.yaml", mounts=compose
    )
    assert done.returncode == 0, done.stderr
    done = container.run("foretag", "demo", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["accounts_written"] > 0
    assert result["second_run_writes"] == 0


@pytest.fixture
def trial(tmp_path):
    """Compose's folder of settings, its ports as free ones of this machine: those of the CRM and of the worker."""
    ports = {name: free_port() for name in ("8443", "9464")}
    shutil.copytree(image.ROOT / "deploy" / "compose", tmp_path / "compose")
    settings = tmp_path / "compose" / "sandbox.yaml"
    text = settings.read_text()
    for usual, port in ports.items():
        text = text.replace(f":{usual}\n", f":{port}\n").replace(f":{usual} ", f":{port} ")
    settings.write_text(text)
    return Trial(image.compose(), {str(settings.parent): "/etc/foretag"}, *ports.values())


def test_compose_s_trial_works_as_it_stands(container, trial):
    """Sandbox, setup and worker by compose's commands and settings; it writes, says how it is, and stops when told."""
    sandbox = container.command(*trial.command("sandbox"), f"--port={trial.crm}")
    with subprocess.Popen(sandbox, stderr=subprocess.DEVNULL) as serving:
        try:
            until(lambda: answers(f"http://localhost:{trial.crm}/"))
            done = container.run(*trial.command("setup"), **trial.place)
            assert done.returncode == 0, done.stderr
            work(container, trial)
        finally:
            terminate(serving)


def work(container, trial):
    """The worker writes, and is asked how it is by the image's own health check."""
    health = json.loads(STAGE.all("HEALTHCHECK")[0].rest.partition("CMD ")[2])
    health[-1] = health[-1].replace(":9464/", f":{trial.metrics}/")
    assert container.run(*health).returncode != 0
    with subprocess.Popen(
        container.command(*trial.command("trial"), **trial.place), stderr=subprocess.DEVNULL
    ) as worker:
        try:
            until(lambda: written(trial.metrics) > 2000)
            ready = json.loads(answers(f"http://127.0.0.1:{trial.metrics}/readyz"))
            assert ready["connections"]["trial"]["state"] == "ok"
            assert container.run(*health).returncode == 0
        finally:
            terminate(worker)
        assert worker.wait(60) == 0


@dataclass(frozen=True)
class Trial:
    """Compose's services, where their settings are, and on which ports they meet."""

    services: dict
    mounts: dict
    crm: int
    metrics: int

    @property
    def place(self):
        """How a container of it is started."""
        return {"mounts": self.mounts, "settings": self.services["trial"]["environment"]["FORETAG_SETTINGS"]}

    def command(self, name):
        """What a service does, as Docker puts it together."""
        service = self.services[name]
        return [*service.get("entrypoint", STAGE.all("ENTRYPOINT")[0].arguments), *service["command"]]


def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def terminate(process):
    """SIGTERM to the command itself: the only child of the process that made its namespace."""
    (child,) = subprocess.check_output(["pgrep", "--parent", str(process.pid)], text=True).split()
    os.kill(int(child), 15)


def written(port):
    """How many records a worker says that it wrote."""
    page = answers(f"http://127.0.0.1:{port}/metrics") or ""
    return sum(
        float(one) for one in re.findall(r"^foretag_records_written_total\{.*\} (\S+)$", page, re.MULTILINE)
    )


def answers(url):
    """What is answered; None if nobody does."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return None


def until(good, seconds=240):
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
