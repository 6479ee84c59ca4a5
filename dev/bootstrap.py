"""Set the checkout up: the virtual environment in .venv, by the lockfile, with translations compiled.

`python -m dev.bootstrap` does it and says so. Everything else in dev/ calls prepare() first; a second call costs
milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from dev.environments import BASE_PYTHON, ROOT, SetupError, create_environment, exclusive, find_uv, python_of, run

OLDEST_PYTHON = (3, 11)
VENV = ROOT / ".venv"
_STAMP = VENV / "foyer-stamp"
_INGREDIENTS = ("uv.lock", "pyproject.toml", "build_translations.py")


def prepare() -> Path:
    """Bring .venv up to date and return its Python.

    Raises:
        SetupError: it cannot be made here; the text says what to do.
    """
    refuse_old_python()
    with exclusive("venv"):
        stamp = _stamp()
        if not (_STAMP.exists() and _STAMP.read_text() == stamp and python_of(VENV).exists()):
            begin = time.monotonic()
            print("Installing Foyer and its tools into .venv …", flush=True)
            _install()
            _STAMP.write_text(stamp)
            print(f"Installed in {time.monotonic() - begin:.0f} s.", flush=True)
        _compile_translations()
    return python_of(VENV)


def refuse_old_python() -> None:
    """Raises: SetupError: this Python is too old; one sentence."""
    if sys.version_info < OLDEST_PYTHON:
        ours = ".".join(str(number) for number in sys.version_info[:2])
        raise SetupError(f"Foyer needs Python 3.11 or newer, and this is Python {ours}.")


def environment_for(*extra: tuple[str, str]) -> dict[str, str]:
    """The environment of a program that runs in .venv, with these variables added.

    What configures a Foyer of somebody's own is left out: it would win over the configuration that we write.
    """
    ours = {name: value for name, value in os.environ.items() if not _configures_foyer(name)}
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**ours, "PATH": path, "VIRTUAL_ENV": str(VENV), **dict(extra)}


def _configures_foyer(variable: str) -> bool:
    if variable.startswith(("FOYER_TEST_", "FOYER_WITHOUT_")):
        return False
    return variable.startswith("FOYER_") or variable == "DJANGO_SETTINGS_MODULE"


def stale_catalogues(locale: Path) -> Iterable[Path]:
    """The .po files whose .mo is missing or older."""
    for source in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            yield source


def _stamp() -> str:
    made_of = hashlib.sha256(f"{sys.version} {sys.base_prefix}".encode())
    for name in _INGREDIENTS:
        made_of.update((ROOT / name).read_bytes())
    return made_of.hexdigest()


def _install() -> None:
    uv = find_uv()
    if uv is not None:
        environment = {"UV_PROJECT_ENVIRONMENT": str(VENV), "VIRTUAL_ENV": "", "UV_PYTHON_DOWNLOADS": "never"}
        run(uv, "sync", "--quiet", "--frozen", "--python", BASE_PYTHON, env=environment)
        return
    create_environment(VENV)
    # `--group` came with pip 25.1; Debian's venv brings an older one.
    run(python_of(VENV), "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    run(python_of(VENV), "-m", "pip", "install", "--quiet", "--editable", ".", "--group", "dev")


def _compile_translations() -> None:
    if any(stale_catalogues(ROOT / "src" / "foyer" / "locale")):  # Asked here, because Babel takes its time to start.
        run(python_of(VENV), "-m", "dev.messages", "compile")


def main() -> int:
    """The script's whole work."""
    try:
        prepare()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    print("Ready: .venv/bin/foyer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
