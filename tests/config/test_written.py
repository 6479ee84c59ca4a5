"""What is made from the schema: foyer.dist.yaml, the reference, and the file that setup writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from foyer.config import dist
from foyer.config.file import Source, read_yaml
from foyer.config.keys import all_keys, keys_of
from foyer.config.load import check, load
from foyer.config.reference import reference
from foyer.config.writing import compose

ROOT = Path(__file__).resolve().parents[2]
CHOSEN: dict[str, Any] = {
    "server_name": "example.org",
    "public_url": "https://join.example.org",
    "homeserver": {
        "url": "http://127.0.0.1:8008",
        "registration_shared_secret": SecretStr("*s3cret: # yes"),
        "admin_token_file": "/run/secrets/token",
        "mas": {"url": None},
    },
    "legal": [{"title": "Rules", "url": "https://example.org/rules", "must_accept": True}],
    "after": {"rooms": ["#welcome:example.org"], "welcome_message": "Hello!\n\nSee you: there."},
    "branding": {"accent": "#ff0000"},
}


def read(text: str) -> dict[str, Any]:
    source = Source()
    read_yaml(text, source)
    assert source.problems == []
    return source.tree


def test_files_in_the_repository_are_what_the_schema_makes() -> None:
    assert dist.main(["--check"]) == 0


def test_dist_check_of_a_stale_file_fails_and_says_so(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(dist, "ROOT", tmp_path)

    assert dist.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == ("foyer.dist.yaml is stale. Run `python -m foyer.config.dist`.")
    assert dist.main([]) == 0
    assert dist.main(["--check"]) == 0


def test_dist_with_only_the_required_lines_filled_in_loads() -> None:
    config = load(ROOT / "foyer.dist.yaml", {})

    assert config == check(
        {
            "server_name": "example.org",
            "public_url": "https://join.example.org",
            "homeserver": {"registration_shared_secret": "the registration_shared_secret of homeserver.yaml"},
        }
    )


def test_dist_with_every_line_taken_in_loads() -> None:
    """An owner removes the # of a line and the space after it: then the key stands where it belongs."""
    keys = "|".join({key.path[-1] for key in all_keys()} | {"id", "text", "required", "choices"})
    text = re.sub(rf"(?m)^( *)# (?= *(- )?({keys}):)", r"\1", dist.dist_yaml())
    tree = read(text)

    for key in all_keys():
        block: Any = tree
        for part in key.path:
            assert part in block, key.dotted
            block = block[part]


def test_dist_and_reference_have_every_key() -> None:
    commented = dist.dist_yaml()
    described = reference()

    for key in all_keys():
        assert re.search(rf"(?m)^ *(# )?{key.path[-1]}:", commented), key.dotted
        assert f"| `{key.dotted}`<br>`{key.environment}` |" in described
        for of_entry in keys_of(key.entry) if key.entry else ():
            assert f"| `{of_entry.dotted}` |" in described


def test_reference_shows_a_configuration_that_loads() -> None:
    example = re.search(r"```yaml\n(.*?)```", reference(), re.DOTALL)

    assert example is not None
    assert check(read(example[1])).server_name == "example.org"


def test_compose_what_was_chosen_is_read_back() -> None:
    tree = read(compose(CHOSEN))

    assert tree == {
        "server_name": "example.org",
        "public_url": "https://join.example.org",
        "homeserver": {
            "url": "http://127.0.0.1:8008",
            "registration_shared_secret": "*s3cret: # yes",
            "admin_token_file": "/run/secrets/token",
        },
        "after": {"rooms": ["#welcome:example.org"], "welcome_message": "Hello!\n\nSee you: there."},
        "legal": [{"title": "Rules", "url": "https://example.org/rules", "must_accept": "true"}],
        "branding": {"accent": "#ff0000"},
    }


def test_compose_says_what_each_key_means() -> None:
    lines = compose({"server_name": "example.org", "log": {"level": "debug", "format": "json"}}).splitlines()

    assert lines[2:] == [
        "",
        "# What follows the colon in the Matrix addresses of your homeserver.",
        "server_name: example.org",
        "",
        "# What Foyer writes to standard error.",
        "log:",
        "  # How much.",
        "  level: debug",
        "  # For people or for programs.",
        "  format: json",
    ]


def test_compose_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"homeserver\.token"):
        compose({"homeserver": {"token": "x"}})


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_compose_any_text_is_read_back(text: str) -> None:
    written = compose({"after": {"welcome_message": text, "rooms": [text]}, "branding": {"name": text}})

    assert read(written) == {"after": {"welcome_message": text, "rooms": [text]}, "branding": {"name": text}}
    assert yaml.safe_load(written)["branding"]["name"] == text
