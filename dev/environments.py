"""Python environments kept under .cache/, each filled from a file of pinned requirements."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
# Ours may itself run in an environment that is about to be made anew.
BASE_PYTHON = str(getattr(sys, "_base_executable", None) or sys.executable)
UV_VERSION = "0.13.9"


class SetupError(Exception):
    """Something that this machine lacks; the text says what, and then what to do."""


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Let one process at a time set up the thing of this name; the others wait."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str | Path, quiet: bool = True, env: dict[str, str] | None = None) -> None:
    """Run a step of the set-up; its output is shown only when it fails.

    Raises:
        SetupError: it ended with another code than 0.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        shown = " ".join(str(part) for part in command)
        raise SetupError(
            f"This step failed with code {done.returncode}: {shown}\n{(done.stdout or '').strip()}".rstrip()
        )


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / "bin" / "python"


def create_environment(path: Path) -> None:
    """Make an empty virtual environment with pip, by the standard library alone.

    Raises:
        SetupError: this Python cannot make one; the text has the command that mends it.
    """
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        is_default = Path("/usr/bin/python3").resolve() == Path(BASE_PYTHON).resolve()
        package = "python3-venv" if is_default else f"python{version}-venv"
        raise SetupError(f"This Python {version} cannot make virtual environments. Run: apt-get install {package}")
    shutil.rmtree(path, ignore_errors=True)
    run(BASE_PYTHON, "-m", "venv", path)


def find_uv() -> Path | None:
    """The uv on the PATH, else the checkout's own; put there by pip when it is missing. None: pip has to do."""
    if os.environ.get("FOYER_WITHOUT_UV"):
        return None
    if (found := shutil.which("uv")) and _is_new_enough(found):
        return Path(found)
    environment = CACHE / "uv"
    own = environment / "bin" / "uv"
    with exclusive("uv"):
        if own.exists():
            return own
        create_environment(environment)
        with contextlib.suppress(SetupError):  # No wheel for this machine: pip does the same work, slower.
            run(python_of(environment), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}")
    return own if own.exists() else None


def _is_new_enough(uv: str) -> bool:
    """Dependency groups, which pyproject.toml has, came late in 0.4."""
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"uv (\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= (0, 5)


def ensure_environment(name: str, requirements: Path) -> Path:
    """An environment under .cache/ with exactly these requirements; returns the path of its Python.

    Made on the first call, kept until the requirements or this Python change.

    Raises:
        SetupError: it could not be made.
    """
    text = requirements.read_bytes() + sys.version.encode()
    stamp = hashlib.sha256(text).hexdigest()
    environment = CACHE / name
    marker = environment / "foyer-stamp"
    with exclusive(name):
        if not (marker.exists() and marker.read_text() == stamp):
            _fill(environment, requirements)
            marker.write_text(stamp)
    return python_of(environment)


def _fill(environment: Path, requirements: Path) -> None:
    uv = find_uv()
    if uv is None:
        create_environment(environment)
        run(python_of(environment), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements)
        return
    shutil.rmtree(environment, ignore_errors=True)
    run(uv, "venv", "--quiet", "--python", BASE_PYTHON, environment)
    target = str(python_of(environment))
    run(uv, "pip", "install", "--quiet", "--python", target, "--require-hashes", "-r", requirements)
