"""Build the documentation into site/, strictly; with arguments, run mkdocs with them (`scripts/docs serve`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dev.bootstrap import refuse_old_python
from dev.environments import (
    BASE_PYTHON,
    CACHE,
    ROOT,
    SetupError,
    create_environment,
    exclusive,
    find_uv,
    python_of,
    run,
)


def prepare_docs() -> Path:
    """An environment with mkdocs alone, by the lockfile; returns its Python."""
    refuse_old_python()
    environment = CACHE / "docs"
    with exclusive("docs"):
        uv = find_uv()
        if uv is not None:
            where = {"UV_PROJECT_ENVIRONMENT": str(environment), "VIRTUAL_ENV": "", "UV_PYTHON_DOWNLOADS": "never"}
            run(uv, "sync", "--quiet", "--frozen", "--only-group", "docs", "--python", BASE_PYTHON, env=where)
        elif not python_of(environment).exists():
            create_environment(environment)
            run(python_of(environment), "-m", "pip", "install", "--quiet", "mkdocs-material")
    return python_of(environment)


def main(arguments: list[str]) -> int:
    """Run mkdocs and return its exit code."""
    python = prepare_docs()
    return subprocess.run(
        [python, "-m", "mkdocs", *(arguments or ["build", "--strict"])], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
