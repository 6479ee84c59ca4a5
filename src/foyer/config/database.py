"""Where Foyer keeps its tables: one URL, taken apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

MASK = "********"
FORMS = "Write sqlite:///foyer.sqlite3 for a file, or postgresql://user:password@host/name for a server."
_IN_PERCENT = "If the user name or the password has signs such as @ : / ? # in it, write them as %40 %3A %2F %3F %23."
_SCHEME = re.compile(r"([a-z0-9]+)(\+[a-z0-9]+)?://", re.IGNORECASE)
_POSTGRESQL = {"postgresql", "postgres"}
_BEFORE_THE_QUERY = {"user", "password", "port", "dbname"}


@dataclass(frozen=True, slots=True)
class Database:
    """One database. `path` is set (and absolute) for SQLite, the other parts for PostgreSQL."""

    engine: Literal["sqlite", "postgresql"]
    path: Path | None = None
    host: str = ""
    port: int | None = None
    name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: dict[str, str] = field(default_factory=dict, hash=False, repr=False)

    @property
    def url(self) -> str:
        """Return the whole URL, password included. `str(database)` is the form for people."""
        return self._url(lambda secret: quote(secret, safe=""))

    @property
    def place(self) -> str:
        """Return where it is, without its password: the path of the file, or the URL."""
        return str(self.path) if self.engine == "sqlite" else str(self)

    def __str__(self) -> str:
        return self._url(lambda _: MASK)

    def _url(self, write: Callable[[str], str]) -> str:
        if self.engine == "sqlite":
            return f"sqlite:///{self.path}"
        user = quote(self.user, safe="") + (f":{write(self.password)}" if self.password else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = dict(self.options)
        if host.startswith("/"):
            host, options["host"] = "", host
        place = (f"{user}@" if user else "") + host + ("" if self.port is None else f":{self.port}")
        written = {key: write(text) if "password" in key else quote(text, safe="/") for key, text in options.items()}
        query = "&".join(f"{key}={text}" for key, text in written.items())
        return f"postgresql://{place}/{quote(self.name, safe='')}" + (f"?{query}" if query else "")


def parse_database(text: str) -> Database:
    """Return the database that a URL names; a relative SQLite path starts at the current directory.

    Raises:
        ValueError: with the remedy, and never the URL, which may hold a password.
    """
    match = _SCHEME.match(text)
    if match is None:
        raise ValueError(FORMS)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme in _POSTGRESQL:
        return _postgresql(f"postgresql://{rest}")
    raise ValueError(f"Foyer keeps its tables in SQLite or PostgreSQL. {FORMS}")


def _sqlite(rest: str) -> Database:
    if not rest.startswith("/"):
        raise ValueError("After sqlite: come three slashes and a path, as in sqlite:///foyer.sqlite3.")
    path = rest[1:]
    if path in {"", ":memory:"}:
        raise ValueError("Name a file, as in sqlite:///foyer.sqlite3: all of Foyer's processes must see one database.")
    if path.endswith("/") or any(sign in path for sign in "\0?#"):
        raise ValueError("Name a file, without ? or # in its path, as in sqlite:////var/lib/foyer/foyer.sqlite3.")
    return Database("sqlite", path=Path(path).absolute())


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError(f"{FORMS} {_IN_PERCENT}") from None
    if url.fragment or port == 0 or re.search(r"[\x00-\x20\x7f]", text) or " " in unquote(url.hostname or ""):
        raise ValueError(f"{FORMS} {_IN_PERCENT}")
    return url, port


def _postgresql(text: str) -> Database:
    url, port = _split(text)
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    host = unquote(url.hostname or "") or options.pop("host", "")
    name = unquote(url.path.removeprefix("/"))
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not name or "/" in name:
        raise ValueError(
            f"Name the database after the host, as in postgresql://user:password@host/foyer. {_IN_PERCENT}"
        )
    if any("\0" in part for part in (name, host, user, password, *options.values())):
        raise ValueError("Remove the NUL byte (%00) from it.")
    if _BEFORE_THE_QUERY & options.keys() or not all(re.fullmatch(r"[a-z_]+", option) for option in options):
        raise ValueError("Only options of libpq stand after the ?, such as sslmode=require; the rest stands before it.")
    return Database("postgresql", None, host, port, name, user, password, options)
