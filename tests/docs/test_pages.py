"""What the documentation says must be so: keys that there are, commands that there are, files that say the same."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from foyer.config.load import check
from tests.support.server import environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.yaml")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
REQUIRED: dict[str, Any] = {
    "server_name": "example.org",
    "public_url": "https://join.example.org",
    "homeserver": {"registration_shared_secret": "an example"},
}
# Lines of the shell that call Foyer, whatever stands before it and after.
IN_A_CONTAINER = "docker compose exec foyer "
CALL = re.compile(r"(?:^|\s|/)foyer (?P<arguments>(?:--config(?:-path)? \S+ )?[a-z][^#|<>&)`…]*)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(path.read_text(encoding="utf-8")) if language in languages]


def calls() -> dict[tuple[str, ...], str]:
    """Return every call of Foyer in a shell block, with the page that it is on."""
    found = {}
    for path in PAGES:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line.removeprefix("$ ") for block in blocks(path, "sh", "console") for line in block.splitlines()]
        for line in [*lines, *re.findall(r"`(foyer [^`\n]+)`", text)]:
            for call in CALL.finditer(line.removeprefix(IN_A_CONTAINER)):
                words = tuple(shlex.split(call["arguments"], comments=True))
                found[words[2:] if words[0].startswith("--config") else words] = name_of(path)
    return found


@cache
def help_of(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "foyer", *words, "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_keys_on_a_page_are_keys_of_foyer_yaml(path: Path) -> None:
    for block in blocks(path, "yaml"):
        keys = yaml.safe_load(block.replace("…", "x"))
        if not isinstance(keys, dict) or not keys:
            continue
        homeserver = {**REQUIRED["homeserver"], **keys.get("homeserver", {})}
        homeserver = {name.removesuffix("_file"): value for name, value in homeserver.items()}  # no such file is here
        secret = {"secret_key": "x" * 32} if "database" in keys else {}

        check({**REQUIRED, **keys, "homeserver": homeserver, **secret})


def test_commands_on_the_pages_are_there_with_their_options() -> None:
    missing = []
    for words, page in calls().items():
        command = list(itertools.takewhile(lambda word: re.fullmatch(r"[a-z][a-z-]*", word), words))[:2]
        text = help_of(*command) or help_of(*command[:1])
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        if not text or any(option not in text for option in options):
            missing.append(f"{page}: foyer {' '.join(words)}")

    assert missing == []


@pytest.mark.parametrize("language", ["nginx", "caddyfile"])
def test_excerpts_stand_in_the_files_of_deploy(language: str) -> None:
    pattern = "nginx*" if language == "nginx" else "Caddyfile*"
    known = {line.strip() for path in (ROOT / "deploy").glob(pattern) for line in path.read_text().splitlines()}
    excerpts = blocks(ROOT / "docs" / "reverse-proxy.md", language)

    assert excerpts
    assert {line.strip() for block in excerpts for line in block.splitlines()} <= known


@pytest.mark.parametrize("path", [it for it in PAGES if it.suffix == ".md"], ids=name_of)
def test_links_of_a_page_lead_to_files(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)

    assert [link for link in links if not (path.parent / link).exists()] == []
