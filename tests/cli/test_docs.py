"""docs/cli.md says what the help says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foyer.cli.catalogue import commands
from tests.cli.conftest import Foyer
from tests.cli.test_dispatch import SUBCOMMANDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?:^\s+(?:-\w, )?|(?<=\S) +(?=--no-))(--[a-z-]+)", re.MULTILINE)
EVERYWHERE = {"--help", "--json", "--config"}


def sections() -> dict[str, str]:
    """Return the text for each command that a heading names; one heading may name several."""
    found: dict[str, str] = {}
    for part in PAGE.split("\n### ")[1:]:
        heading, _, text = part.partition("\n")
        words = [
            re.sub(r" (CODE|ID|PATH|NAME)?…?$", "", word.removeprefix("foyer "))
            for word in re.findall(r"`([^`]+)`", heading)
        ]
        group = f"{words[0].split()[0]} " if words[0].count(" ") else ""
        for word in words:
            found[word if word.startswith(group) else group + word] = text
    return found


SECTIONS = sections()
ALL = [*(name for name, one in commands().items() if one.name == name and name not in SUBCOMMANDS)] + [
    f"{group} {name}" for group, names in SUBCOMMANDS.items() for name in names
]


def test_docs_have_a_section_for_every_command_and_for_no_other() -> None:
    assert sorted(SECTIONS) == sorted(ALL)


@pytest.mark.parametrize("name", [name for name in ALL if name not in {"django", "invite edit"}])
def test_docs_name_every_option_of_a_command(foyer: Foyer, name: str) -> None:
    known = set(OPTION.findall(foyer(*name.split(), "-h").out)) - EVERYWHERE
    assert known <= options_in(SECTIONS[name])


def test_docs_name_no_option_that_there_is_not(foyer: Foyer) -> None:
    known = {option for name in ALL for option in OPTION.findall(foyer(*name.split(), "-h").out)}
    before_a_command = {"--config", "--config-path", "--version", "--traceback", "--help"}
    assert options_in(PAGE) <= known | before_a_command


def options_in(text: str) -> set[str]:
    """Return the options that a text names."""
    return set(re.findall(r"--[a-z][a-z-]*", text))
