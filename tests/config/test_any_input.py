"""Whatever stands in the file or in the environment, the answer is a configuration or a ConfigError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.config.errors import ConfigError
from foyer.config.file import Source, read_yaml
from foyer.config.keys import all_keys
from foyer.config.load import check, load
from foyer.config.show import as_json, render

SECRET = "Xyzzy42Plugh"
UNTRANSLATED = "Foyer cannot read this value."
KEYS = all_keys()
NEAR = st.sampled_from(
    [
        "true",
        "1",
        "10s",
        "7d",
        "#a:b.c",
        "!a:b.c",
        "a@b.c",
        "https://a.b",
        "http://u:p@a.b",
        "[a-z",
        "a,b",
        "[]",
        "{}",
        "127.0.0.1:80",
        "::1",
        "sqlite:///a",
        "never",
        "1e9",
        "postgresql://u:p@h/d",
        "10.0.0.0/8",
        "application",
        "element",
        "\x00",
        "999999999999999999999999999",
        "[[",
        '["a",1,null]',
        '[{"id":"a","text":3}]',
        '[{"title":"a","url":"https://a.b"}]',
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | NEAR
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([key.path[-1] for key in KEYS]) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """A tree of known keys with values that are near, wrong or wild."""
    tree: dict[str, Any] = {
        "server_name": "example.org",
        "public_url": "https://a.b",
        "homeserver": {"admin_token": "x"},
    }
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=6)):
        block: Any = tree
        for part in key.path[:-1]:
            block = block.setdefault(part, {}) if isinstance(block, dict) else {}
        block[key.path[-1]] = draw(TREES)
    if draw(st.booleans()):
        tree[draw(st.sampled_from([key.path[0] for key in KEYS]))] = draw(TREES)
    return tree


def judge(error: ConfigError) -> None:
    """Every problem is a sentence of ours."""
    assert error.problems
    for problem in error.problems:
        assert problem.sentence.endswith((".", "?"))
        assert not problem.sentence.partition(": ")[2].startswith(UNTRANSLATED)
        assert UNTRANSLATED not in problem.sentence
        assert "\n" not in str(problem)
        str(problem).encode()


@SLOW
@given(configurations())
def test_any_values_are_read_or_refused_in_words(tree: dict[str, Any]) -> None:
    try:
        config = check(tree)
    except ConfigError as error:
        judge(error)
    else:
        json.loads(as_json(config))
        assert yaml.safe_load(render(config))["server_name"]


@SLOW
@given(st.text() | TREES.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)) | st.binary())
def test_any_file_is_read_or_refused_in_words(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "foyer.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    with pytest.raises(ConfigError) as caught:
        load(path, {})

    judge(caught.value)


@SLOW
@given(
    st.dictionaries(
        st.sampled_from([key.environment for key in KEYS] + [f"{key.environment}_FILE" for key in KEYS])
        | st.from_regex(r"FOYER_[A-Z_]{1,20}", fullmatch=True),
        st.text() | NEAR,
        max_size=6,
    )
)
def test_any_environment_is_read_or_refused_in_words(environ: dict[str, str]) -> None:
    environ.pop("FOYER_CONFIG", None)
    base = {"FOYER_SERVER_NAME": "example.org", "FOYER_PUBLIC_URL": "https://a.b", "FOYER_HOMESERVER__ADMIN_TOKEN": "x"}
    try:
        config = load(None, base | environ)
    except ConfigError as error:
        judge(error)
    else:
        assert yaml.safe_load(render(config))["public_url"]


@SLOW
@given(
    st.sampled_from([key for key in KEYS if key.may_be_a_file]),
    st.sampled_from(["", "_", "s", "_file", "x"]),
    st.text(max_size=4),
    st.sampled_from(["plain", "quoted", "block", "list", "url"]),
)
def test_secret_is_in_no_error_however_it_is_misplaced(key: Any, mistake: str, around: str, form: str) -> None:
    secret = around + SECRET + around
    written = {
        "plain": secret.replace("\n", " "),
        "quoted": json.dumps(secret),
        "block": f"{{a: {json.dumps(secret)}}}",
        "list": f"[{json.dumps(secret)}]",
        "url": f"postgresql://u:{secret}@",
    }[form]
    text = "homeserver: {timeout: never}\n"
    for depth, part in enumerate(key.path[:-1]):
        text += f"{'  ' * depth}{part}2:\n" if depth == 0 and part == "homeserver" else f"{'  ' * depth}{part}:\n"
    text += f"{'  ' * (len(key.path) - 1)}{key.path[-1]}{mistake}: {written}\n"
    source = Source("foyer.yaml")
    read_yaml(text, source)

    with pytest.raises(ConfigError) as caught:
        check(source.tree)

    said = str(caught.value) + repr(caught.value) + "\n".join(map(str, source.problems))
    if "/" not in secret:
        assert SECRET not in said


def test_secret_of_a_wrong_value_is_in_no_error() -> None:
    bad = SECRET + "\n" + SECRET
    with pytest.raises(ConfigError) as caught:
        check(
            {
                "secret_key": SECRET,
                "homeserver": {
                    "admin_token": bad,
                    "registration_shared_secret": [SECRET],
                    "url": f"http://u:{SECRET}@h",
                },
                "email": {"password": {"a": SECRET}, "host": f"u:{SECRET}@mail"},
                "api": SECRET,
                "database": f"postgresql:/u:{SECRET}@h/d",
                "public_url": f"https://{SECRET}:{SECRET}@h",
            }
        )

    assert SECRET not in str(caught.value) + repr(caught.value)
    assert caught.value.__context__ is None
