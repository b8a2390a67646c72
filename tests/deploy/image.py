"""Builds the image without a container engine: each stage in a copy-on-write copy of this machine's own root.

Where Docker would pull the base image, this machine's system and one of its Pythons stand in; all else is done as the
Dockerfile says, in the same absolute paths, by the same commands. That the base image lacks a program it cannot show.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.deploy.dockerfile import Stage, context, stages

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
# A mount namespace of one's own; whoever is not root is root in a user namespace as well.
UNSHARE = [
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    *([] if os.geteuid() == 0 else ["--map-root-user"]),
]
# How the outside is reached is the machine's matter, in an image build as here.
OUTSIDE = (
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "PIP_CONFIG_FILE",
    "UV_CONFIG_FILE",
)
NEWEST_FIRST = ("3.13", "3.12", "3.11")


@dataclass(frozen=True, slots=True)
class Root:
    """A file system of one stage: this machine's root below, what the stage wrote above."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def written(self) -> Path:
        """What the stage wrote."""
        return self.folder / "written"

    def begin(self) -> None:
        """An empty layer, but for the base image's Python."""
        for name in ("written", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        binaries = self.written / "usr" / "local" / "bin"
        binaries.mkdir(parents=True)
        for name in ("python", "python3"):
            (binaries / name).symlink_to(_python())

    def command(self, *command: str, shell: tuple[str, ...] = (), directory: str = "/") -> list[str]:
        """A command in this root; `shell` are lines that make it ready, before it is entered."""
        root = shlex.quote(str(self.folder / "root"))
        layers = f"lowerdir=/,upperdir={self.written},workdir={self.folder / 'work'}"
        told = [f"{name}={value}" for name, value in self.environment.items()]
        inside = shlex.join(
            ["env", "-i", *told, "sh", "-c", f"cd {shlex.quote(directory)} && exec {shlex.join(command)}"]
        )
        ready = [
            f"mount -t overlay foretag -o {shlex.quote(layers)} {root}",
            f"mount --rbind /dev {root}/dev",
            f"mount -t proc proc {root}/proc",
            *(line.replace("ROOT", root) for line in shell),
            f"exec chroot {root} {inside}",
        ]
        return [*UNSHARE, "sh", "-ec", "\n".join(ready)]


def why_not() -> str | None:
    """Why this machine cannot build it, if so."""
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else f"needs unshare: {tried.stderr.strip()}"


def build(folder: Path) -> Root:
    """Every stage of the Dockerfile in its turn; returns the last one's root."""
    built: dict[str, Root] = {}
    root = Root(folder)
    for number, stage in enumerate(stages(DOCKERFILE)):
        root = Root(folder / str(number))
        root.begin()
        _follow(stage, root, built)
        built[stage.name] = root
    return root


def _follow(stage: Stage, root: Root, built: dict[str, Root]) -> None:
    root.environment.update(PATH="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME="/root")
    outside = {name: os.environ[name] for name in OUTSIDE if name in os.environ}
    directory = "/"
    for one in stage.instructions:
        if one.word == "ENV":
            root.environment.update(pair.split("=", 1) for pair in one.arguments)
        elif one.word == "WORKDIR":
            directory = one.text
            (root.written / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif one.word == "COPY":
            *sources, target = one.arguments
            # An absolute target is one of the root's, never this machine's.
            inside = os.path.normpath(Path(directory) / target).lstrip("/")
            _copy(sources, root.written / inside, built.get(one.flags.get("from", "")))
        elif one.word == "RUN":
            _run(Root(root.folder, {**root.environment, **outside}), one.rest, directory)


def _copy(sources: list[str], target: Path, origin: Root | None) -> None:
    for source in sources:
        if origin is not None:
            shutil.copytree(origin.written / source.lstrip("/"), target, symlinks=True, dirs_exist_ok=True)
            continue
        files = [file for file in _context() if file == Path(source) or Path(source) in file.parents]
        assert files, f"COPY {source}: nothing of it is in the build's context"
        for file in files:
            to = target / file.relative_to(source) if file != Path(source) else target / file.name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, to)


def _run(root: Root, command: str, directory: str) -> None:
    cache = Path.home() / ".cache"
    shell = tuple(
        f"mkdir -p {cache / name} ROOT/root/.cache/{name} && mount --bind {cache / name} ROOT/root/.cache/{name}"
        for name in ("uv", "pip")
    )
    done = subprocess.run(
        root.command("sh", "-c", command, shell=shell, directory=directory),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"


def _context() -> list[Path]:
    return context(ROOT, DOCKERFILE.with_name("Dockerfile.dockerignore"))


def _python() -> Path:
    """The newest Python of this machine that we support; the one that runs this, if there is no other."""
    for version in NEWEST_FIRST:
        for one in (
            shutil.which(f"python{version}"),
            *Path.home().glob(f".pyenv/versions/{version}.*/bin/python"),
        ):
            if (
                one
                and subprocess.run(
                    [one, "-c", f"import sys, venv; assert '%d.%d' % sys.version_info[:2] == '{version}'"],
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            ):
                return Path(one).resolve()
    return Path(sys.executable).resolve()


def compose() -> dict[str, dict[str, list[str]]]:
    """The services of compose, whose commands are run in the image."""
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
