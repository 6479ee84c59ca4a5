"""Programs of the system that tests drive: found, else installed by apt-get where we are root."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

from dev.environments import SetupError, exclusive

_SECONDS_TO_WAIT_FOR_APT = 300


def find_or_install(program: str, package: str | None = None) -> Path:
    """The path of a program, installed from its Debian package (by default of the same name) when it is missing.

    Raises:
        SetupError: it is not there and could not be installed; one sentence.
    """
    if found := find(program):
        return found
    install(package or program)
    if found := find(program):
        return found
    raise SetupError(f"The package {package or program} was installed, but it has no program {program}.")


def find(program: str) -> Path | None:
    """Where a program is; servers live in folders that are not on everybody's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin"])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def install(package: str) -> None:
    """Install a Debian package without questions and without starting its service.

    Raises:
        SetupError: no apt-get, no root, or it did not work; one sentence.
    """
    if not shutil.which("apt-get"):
        raise SetupError(f"{package} is not installed; install it with this system's package manager.")
    if os.geteuid() != 0:
        raise SetupError(f"{package} is not installed; run: sudo apt-get install {package}")
    with exclusive("apt"):
        done = _apt("install", "--yes", "--no-install-recommends", package)
        if done.returncode:
            _update()
            done = _apt("install", "--yes", "--no-install-recommends", package)
    if done.returncode:
        reason = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else f"code {done.returncode}"
        raise SetupError(f"apt-get could not install {package}: {reason}")


@functools.cache
def _update() -> None:
    _apt("update")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    # RUNLEVEL=1 keeps Debian's packages from starting their service on port 80.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return subprocess.run(
        ["apt-get", "-q", "-o", f"DPkg::Lock::Timeout={_SECONDS_TO_WAIT_FOR_APT}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
