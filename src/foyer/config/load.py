"""Finding and reading the configuration: foyer.yaml, the environment over it, secrets from files of their own.

Everything that is wrong is told at once.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from foyer.config.environment import Given, read_environment
from foyer.config.errors import ConfigError, Problem
from foyer.config.file import Source, read_file
from foyer.config.keys import Key, all_keys, by_path, known_paths
from foyer.config.rules import RULES
from foyer.config.schema import Config
from foyer.config.words import problem_of

LARGEST_SECRET = 64 * 1024
EXAMPLE = {
    "server_name": "example.org",
    "public_url": "http://localhost:5000",
    "secret_key": "an example, good for tools that never answer a request",
    "homeserver": {"registration_shared_secret": "an example"},
}

# Stands for a secret whose file could not be read, so that one fault is not told twice.
UNREAD = {"database": "sqlite:///unread"}


def find(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the configuration file to use: `path`, $FOYER_CONFIG, or the first of the usual places that there is."""
    if path is not None:
        return path.expanduser() if environ.get("HOME") else path
    if environ.get("FOYER_CONFIG"):
        return Path(environ["FOYER_CONFIG"])
    here = Path("foyer.yaml")
    if _is_there(
        here, closed=False
    ):  # whoever may not enter this folder was left in it by `runuser`, and means another
        return here
    places = []
    if environ.get("HOME"):
        places.append(Path(environ["HOME"], ".config", "foyer", "foyer.yaml"))
    places.append(Path("/etc/foyer/foyer.yaml"))
    return next((place for place in places if _is_there(place, closed=True)), None)


def _is_there(place: Path, *, closed: bool) -> bool:
    """Say whether the file is there; `closed` of one in a folder that may not be entered. Reading it will say so."""
    try:
        return place.exists()
    except OSError:
        return closed


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ, *, require: bool = True) -> Config:
    """Return the configuration of a file, of the environment, or of both.

    With `require` false, where neither says anything, an example is returned: for tools that only need
    Django's settings to exist.

    Raises:
        ConfigError: it is missing or wrong; all problems at once, no secret in them.
    """
    path = find(path, environ)
    given = read_environment(environ)
    if path is None and not (given.values or given.files or given.problems):
        if not require:
            return check(EXAMPLE)
        sentence = "There is no configuration yet. `foyer setup` makes one; `foyer --config PATH` names one elsewhere."
        raise ConfigError([Problem("", "", sentence)])
    source = read_file(path) if path is not None else Source()
    return _Reading(source, given, path.absolute().parent if path is not None else Path.cwd()).finish()


def check(values: Mapping[str, Any], folder: Path | None = None) -> Config:
    """Return the configuration that nested values make, as `setup` and tests have them.

    Raises:
        ConfigError: something is wrong with them.
    """
    return _Reading(Source(tree=dict(values)), Given(), folder or Path.cwd()).finish()


class _Reading:
    """One reading of one configuration: the sources become one tree, the tree a Config."""

    def __init__(self, source: Source, given: Given, folder: Path) -> None:
        self._given = given
        self._folder = folder
        self._name = source.name
        self._tree = _copy(source.tree)
        self._problems = [*source.problems, *given.problems]
        self._places = {path: source.place(line) for path, line in source.lines.items()}

    def finish(self) -> Config:
        if any(not problem.key for problem in self._problems):  # a file that cannot be read leaves nothing to judge
            raise ConfigError(self._problems)
        self._ask_what_null_means()
        self._read_secret_files()
        self._take_the_environment()
        tree = _without_nulls(self._tree)
        config, refused = _validate(tree, self._folder)
        problems = [problem_of(error, self._place) for error in refused]
        broken = [problem for rule in RULES for problem in rule(tree)]
        problems += [dataclasses.replace(found, where=self._place(found.key.split("."))) for found in broken]
        told = {problem.key for problem in self._problems}
        self._problems += [problem for problem in problems if problem.value or problem.key not in told]
        if self._problems or config is None:
            raise ConfigError(sorted(dict.fromkeys(self._problems), key=_line))
        return config

    def _place(self, path: Sequence[int | str]) -> str:
        """Return where a path was written, or else the block that it belongs to."""
        known = (tuple(path[:end]) for end in range(len(path), 0, -1))
        return next((self._places[part] for part in known if part in self._places), self._name)

    def _ask_what_null_means(self) -> None:
        """Null means the default; for these two a person may have meant the opposite."""
        invitations = self._tree.get("invitations")
        for name, word in (("uses", "unlimited"), ("expires", "never")):
            if isinstance(invitations, dict) and name in invitations and invitations[name] is None:
                path = ("invitations", name)
                sentence = f"Write {word}, or remove the line for the default."
                self._problems.append(Problem(".".join(path), "null", sentence, self._place(path)))

    def _take_the_environment(self) -> None:
        for path, value in self._given.values.items():
            self._put(path, value if value or by_path()[path].is_list else None, by_path()[path].environment)

    def _read_secret_files(self) -> None:
        for key in filter(lambda key: key.may_be_a_file, all_keys()):
            block = _block(self._tree, key.path[:-1])
            name = block.pop(f"{key.path[-1]}_file", None) if block is not None else None
            in_environment = self._given.files.get(key.path)
            if in_environment is not None:
                self._read_secret(key, in_environment, self._given.values.get(key.path), f"{key.environment}_FILE")
            elif name is not None and block is not None and key.path not in self._given.values:
                where = self._place((*key.path[:-1], f"{key.path[-1]}_file"))
                self._read_secret(key, name, block.get(key.path[-1]), where)

    def _read_secret(self, key: Key, name: Any, other: Any, where: str) -> None:
        """Put what a file holds in the place of a secret."""
        dotted = f"{key.dotted}_file"
        if other is not None:
            self._problems.append(Problem(dotted, "", f"Give {key.dotted} or this, not both.", where))
            return
        try:
            self._put(key.path, _contents(self._folder, name), where)
        except ValueError as error:
            self._problems.append(Problem(dotted, _shown_path(name), str(error), where))
            self._put(key.path, UNREAD.get(key.dotted, "x" * 64), where)

    def _put(self, path: tuple[str, ...], value: Any, where: str) -> None:
        block = _block(self._tree, path[:-1], make=True)
        if block is not None:
            block[path[-1]] = value
            self._places[path] = where


def _line(problem: Problem) -> int:
    """Sort by the line of the file; what comes from elsewhere stands first."""
    return int(problem.where.rpartition("line ")[2]) if problem.where[-1:].isdigit() and "line " in problem.where else 0


def _validate(tree: dict[str, Any], folder: Path) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        return Config.model_validate(tree, context={"folder": folder}), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _shown_path(name: Any) -> str:
    """Return the path as it may be shown: it may be the secret itself, put where the name of its file belongs."""
    parts = Path(name).parts if isinstance(name, str) and name.isprintable() else ()
    return f'"{name}"' if len(parts) > 2 and parts[0] == "/" and Path("/", parts[1]).is_dir() else ""


def _contents(folder: Path, name: Any) -> str:
    """Return the secret that a file holds; a relative name starts beside foyer.yaml.

    Raises:
        ValueError: it cannot be read, or does not hold one line of text.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError("Give the path of one file.")
    try:
        with Path(folder, name.strip()).open("rb") as file:
            raw = file.read(LARGEST_SECRET + 1)
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("The file does not hold UTF-8 text.") from None
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ValueError(f"The file cannot be read ({reason}). A relative path starts in {folder}.") from None
    except ValueError:
        raise ValueError("This cannot be the path of a file.") from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret or len(raw) > LARGEST_SECRET:
        raise ValueError("The file must hold the secret and nothing else.")
    return secret


def _block(tree: dict[str, Any], path: tuple[str, ...], *, make: bool = False) -> dict[str, Any] | None:
    """Return the mapping at a path; None where there is none and none can be made."""
    for part in path:
        if make and tree.get(part) is None:
            tree[part] = {}
        found = tree.get(part)
        if not isinstance(found, dict):
            return None
        tree = found
    return tree


def _copy(value: Any) -> Any:
    """Copy mappings and lists, so that what a caller gave stays as it is."""
    if isinstance(value, Mapping):
        return {str(key): _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, (list, tuple)) else value


def _without_nulls(value: Any, path: tuple[str, ...] = ()) -> Any:
    """Leave out the keys that were given no value: they have their defaults. Names that are no keys stay."""
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if item is not None or (*path, name) not in known_paths()}
        return {name: _without_nulls(item, (*path, name)) for name, item in kept.items()}
    return [_without_nulls(item, path) for item in value] if isinstance(value, list) else value
