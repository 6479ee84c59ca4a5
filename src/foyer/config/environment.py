"""The part of the configuration that comes from the environment: `FOYER_HOMESERVER__URL` and its like."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from foyer.config.errors import Problem
from foyer.config.keys import PREFIX, Key, all_keys

NOT_KEYS = ("FOYER_CONFIG",)
# Kubernetes and old Docker links set FOYER_PORT, FOYER_SERVICE_HOST and more for a service called foyer.
NOT_OURS = ("FOYER_TEST_", "FOYER_SERVICE_", "FOYER_PORT_")


@dataclass
class Given:
    """What the environment sets: the text of keys, and the files that secrets stand in."""

    values: dict[tuple[str, ...], str] = field(default_factory=dict)
    files: dict[tuple[str, ...], str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def is_key(name: str) -> bool:
    """Return whether a variable of the environment is meant for the configuration."""
    return name.startswith(PREFIX) and name not in (*NOT_KEYS, "FOYER_PORT") and not name.startswith(NOT_OURS)


def read_environment(environ: Mapping[str, str]) -> Given:
    """Read what the environment sets. Never raises: what is wrong stands in `problems`."""
    given = Given()
    by_name = {key.environment: key for key in all_keys()}
    files = {f"{key.environment}_FILE": key for key in all_keys() if key.may_be_a_file}
    for name in sorted(filter(is_key, environ)):
        value = environ[name]
        if value.encode("utf-8", "replace").decode() != value:
            given.problems.append(Problem("", "", "This is not UTF-8. Set it again.", name))
        elif name in by_name:
            given.values[by_name[name].path] = value
        elif name in files:
            given.files[files[name].path] = value
        else:
            given.problems.append(Problem("", "", _unknown(name, [*by_name, *files], by_name), name))
    return given


def _unknown(name: str, names: list[str], by_name: Mapping[str, Key]) -> str:
    if any(known.startswith(f"{name}__") for known in by_name):
        return (
            f"This is a block of keys. Set one of them, such as {next(k for k in names if k.startswith(f'{name}__'))}."
        )
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return "Foyer has no such key." + (f" Did you mean {close[0]}?" if close else " Remove it.")
