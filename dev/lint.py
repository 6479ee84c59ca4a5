"""Everything that is checked without running the product."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from dev.bootstrap import VENV, environment_for, prepare
from dev.environments import ROOT, SetupError, find_uv

_MOST_LINES = 60
_PACKAGE_INDEX = ("pypi.org", 443)


class Failed(Exception):
    """A check did not hold; the text is what to show."""


def _tool(name: str, *arguments: str) -> str:
    """Run a tool of .venv and return what it printed. Raises: Failed."""
    return _command(VENV / "bin" / name, *arguments)


def _command(*command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment_for(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(done.stdout.strip())
    return done.stdout.strip()


def lockfile() -> str:
    """uv.lock fits pyproject.toml."""
    uv = find_uv()
    if uv is None:
        return "skipped: uv could not be had"
    if not _reachable():
        return "skipped: the package index cannot be reached"
    _command(uv, "lock", "--check", "--quiet")
    return ""


def ruff() -> str:
    """Names, imports, bugs and traps."""
    _tool("ruff", "check", "--quiet")
    return ""


def shape() -> str:
    """Every file looks as scripts/format leaves it."""
    _tool("ruff", "format", "--check", "--quiet")
    return ""


def types() -> str:
    """mypy, strictly."""
    _tool("mypy")
    return ""


def rooms() -> str:
    """A room imports only the rooms below it."""
    _tool("lint-imports", "--no-cache")
    return ""


def templates() -> str:
    """djlint on every template."""
    folders = [str(path) for path in sorted((ROOT / "src" / "foyer").rglob("templates")) if path.is_dir()]
    if not folders:
        return "skipped: there is no template yet"
    _tool("djlint", "--lint", "--quiet", *folders)
    return ""


def configuration() -> str:
    """foyer.dist.yaml and docs/configuration.md are what the schema makes."""
    _tool("python", "-m", "foyer.config.dist", "--check")
    return ""


def homeservers() -> str:
    """The table in docs/homeservers/ is what the adapters promise and the contract suite tries."""
    _tool("python", "-m", "dev.homeservers", "--check")
    return ""


def translations() -> str:
    """Every catalogue is complete, and in step with the code."""
    _tool("python", "-m", "dev.messages", "check")
    return ""


def vulnerabilities() -> str:
    """No known vulnerability in what the product installs."""
    uv = find_uv()
    if uv is None or not _reachable():
        return "skipped: the package index cannot be reached"
    with tempfile.NamedTemporaryFile(suffix=".txt", mode="r", encoding="utf-8") as file:
        _command(uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--output-file", file.name)
        _tool("pip-audit", "--progress-spinner", "off", "--disable-pip", "--requirement", file.name)
    return ""


def _shortened(text: str) -> str:
    lines = text.splitlines()
    rest = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], f"… and {rest} more lines"]) if rest > 0 else text


def _reachable() -> bool:
    try:
        with socket.create_connection(_PACKAGE_INDEX, timeout=5):
            return True
    except OSError:
        return False


CHECKS: tuple[Callable[[], str], ...] = (
    lockfile,
    ruff,
    shape,
    types,
    rooms,
    templates,
    configuration,
    homeservers,
    translations,
    vulnerabilities,
)


def main(wanted: list[str]) -> int:
    """Run the checks (those named, or all) and return 1 if any failed."""
    prepare()
    failed = 0
    for check in CHECKS:
        if wanted and check.__name__ not in wanted:
            continue
        try:
            remark = check()
            print(f"ok    {check.__name__}" + (f" ({remark})" if remark else ""), flush=True)
        except Failed as failure:
            failed += 1
            print(f"FAIL  {check.__name__}: {check.__doc__}\n{_shortened(str(failure))}", flush=True)
    print(f"{failed} of {len(wanted or CHECKS)} checks failed." if failed else "All checks hold.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
