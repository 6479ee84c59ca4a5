"""Codes and names that never repeat, and the forms that newcomers send. All follow from a number."""

from __future__ import annotations

import hashlib
import itertools
import random
import urllib.parse
from collections.abc import Iterator

from dev.bench import load

PASSWORD = "correct horse battery staple"
_serial = itertools.count(1)


def code(number: int) -> str:
    """The code of the invitation of this number; in no order, as codes are."""
    return "Bench" + hashlib.blake2b(f"code {number}".encode(), digest_size=10).hexdigest()


def localpart(number: int) -> str:
    """The name of somebody who came before; in no order either."""
    return "u" + hashlib.blake2b(f"name {number}".encode(), digest_size=8).hexdigest()


def new_name() -> str:
    """A name that nobody had in this run."""
    return "n" + hashlib.blake2b(f"new {next(_serial)}".encode(), digest_size=8).hexdigest()


def form(username: str, token: str) -> str:
    """The form of /register."""
    fields = {"username": username, "password": PASSWORD, "confirm": PASSWORD, "token": token}
    return urllib.parse.urlencode(fields)


def forms(invitations: int) -> Iterator[str]:
    """The form of somebody new each time, by any of so many invitations."""
    chance = random.Random(1)  # noqa: S311 - not a secret: every run asks in the same order
    while True:
        yield form(new_name(), code(1 + chance.randrange(invitations)))


def registrations(invitations: int) -> Iterator[bytes]:
    """The same as requests: POST /register."""
    return (load.post("/register", each) for each in forms(invitations))


def pages(path: str, *, invitations: int = 1) -> Iterator[bytes]:
    """GET of one page, again and again; `{code}` in the path is the code of one invitation after the other."""
    numbers = range(1, 1 + (invitations if "{code}" in path else 1))
    return itertools.cycle([load.get(path.replace("{code}", code(number))) for number in numbers])
