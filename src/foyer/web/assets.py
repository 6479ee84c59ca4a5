"""The pages' own stylesheet and scripts, under an address that changes with their content.

All of them share one directory name, the digest of everything in it. So a file may be kept for ever by browsers, and
modules can import each other by relative names.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import django

STATIC_ROOT = Path(__file__).resolve().parent / "static"
# Those of Django's admin, as its wheel has them: `static/django-VERSION/admin/…`.
ADMIN_ROOT = Path(django.__file__).resolve().parent / "contrib" / "admin" / "static"
DIGEST_LENGTH = 12


@functools.cache
def digest() -> str:
    """Return the name of the directory that the files are served in."""
    seen = hashlib.sha256()
    for path in sorted(STATIC_ROOT.rglob("*")):
        if path.is_file():
            seen.update(path.relative_to(STATIC_ROOT).as_posix().encode() + b"\0")
            seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()[:DIGEST_LENGTH]


def prefix() -> str:
    """Return where the files are served, without slashes around it: `static/<digest>`."""
    return f"static/{digest()}"


@functools.cache
def asset(name: str) -> str:
    """Return the address of a static file, relative to where Foyer begins.

    Raises:
        FileNotFoundError: there is no such file; a page must not point at nothing.
    """
    if not (STATIC_ROOT / name).is_file():
        raise FileNotFoundError(STATIC_ROOT / name)
    return f"{prefix()}/{name}"
