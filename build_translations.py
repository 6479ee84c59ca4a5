"""Compile the translation catalogues (.po → .mo) whenever the package is built or installed for development."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCALE = Path(__file__).parent / "src" / "foyer" / "locale"


def compile_catalogues() -> list[Path]:
    """Write a .mo beside every .po and return what was written."""
    written = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        target = source.with_suffix(".mo")
        with target.open("wb") as file:
            write_mo(file, catalogue)
        written.append(target)
    return written


class TranslationHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling calls this before it collects the files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling to take the results although git ignores them."""
        for target in compile_catalogues():
            build_data["artifacts"].append(target.relative_to(self.root).as_posix())
