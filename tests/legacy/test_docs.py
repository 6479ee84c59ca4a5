"""docs/legacy-api.md is true: every curl in it is run in its order, and answers what stands there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import foyer
from dev.site import Site
from foyer.homeserver import make
from foyer.homeserver.memory import MemoryHomeserver
from tests.conftest import Configure
from tests.legacy.conftest import MakeInvite

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).parents[2] / "docs" / "legacy-api.md"
BLOCK = re.compile(r"^```console\n\$ (curl .*?)\n(.*?)```$", re.MULTILINE | re.DOTALL)
# What is made up anew each time.
MADE_UP = {"name": re.compile(r"([A-Z][a-z]+){4}"), "access_token": re.compile(r"[A-Za-z0-9_-]{22}")}


@pytest.fixture
def port(configure: Configure, make_invite: MakeInvite) -> Iterator[int]:
    """Foyer as the page supposes it."""
    configure(server_name="example.org", api={"legacy_shared_secret": "s3cret"}, screening={"limits": True})
    make_invite()
    make_invite(code="OpenHouse", uses_limit=None)
    with make.using(MemoryHomeserver(server_name="example.org")), Site() as site:
        yield int(site.url.rpartition(":")[2])


def curl(line: str, port: int) -> str:
    """Run a line as it is written; only the connection goes elsewhere."""
    program, *arguments = shlex.split(line)
    there = ["--silent", "--show-error", "--connect-to", f"localhost:5000:127.0.0.1:{port}"]
    return subprocess.run([program, *there, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def adopt(shown: str, came: str) -> str:
    """Put what was made up into what the page shows, so that the rest can be compared."""
    there, here = json.loads(shown), json.loads(came)
    for key, form in MADE_UP.items():
        if isinstance(there, dict) and form.fullmatch(str(there.get(key))) and form.fullmatch(str(here.get(key))):
            return shown.replace(there[key], here[key])
    return shown


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_curl_of_the_page_answers_what_stands_there(port: int) -> None:
    text = PAGE.read_text(encoding="utf-8").replace('"0.1.0"', f'"{foyer.__version__}"')
    renamed: dict[str, str] = {}
    blocks = BLOCK.findall(text)
    for line, shown in blocks:
        for name, real in renamed.items():
            line, shown = line.replace(name, real), shown.replace(name, real)  # noqa: PLW2901
        came = curl(line, port)
        if shown.startswith("{"):
            expected = adopt(shown, came)
            renamed |= {json.loads(shown)["name"]: json.loads(came)["name"]} if '"name"' in shown else {}
        else:
            expected = shown
        assert came.strip() == expected.strip(), line

    assert len(blocks) >= 20
