"""Whatever is sent, the answer is JSON and its status is not 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.invites import services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from tests.legacy.conftest import Asker

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db, pytest.mark.database]

CODE = "DoubleWizardSki"
any_text = st.text(st.characters(), max_size=40)  # surrogates and NUL too
scalar = (
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.datetimes().map(str) | st.dates().map(str)
)
anything = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3)
)
number = st.integers() | st.floats() | st.booleans() | st.integers().map(str) | anything
moment = (
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda it: it.isoformat()) | st.dates().map(str) | anything
)
flag = st.booleans() | anything


def some_of(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[object]:
    """Objects with some of these keys and perhaps another one; or something else entirely."""
    known = st.fixed_dictionaries({}, optional=keys)
    stray = st.dictionaries(any_text, anything, max_size=1)
    return st.one_of(known, st.builds(lambda a, b: {**b, **a}, known, stray), anything)


def body_of(content: object) -> bytes:
    """Return JSON, lone surrogates, NaN and Infinity included."""
    return json.dumps(content).encode()


def is_told_in_json(response: Answer) -> bool:
    """Say whether the answer is one that a program can read."""
    json.loads(response.content)
    return response["Content-Type"] == "application/json" and response.status_code < 500


# The database is rolled back after all examples, not after each: what earlier ones made is part of the test.
fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ensure_token() -> None:
    """Let there be a token, whatever earlier examples did to it."""
    if not Invite.objects.filter(code=CODE).exists():
        services.create(NewInvite(code=CODE, uses_limit=None), actor=Actor.command_line())


name = st.just("test") | st.from_regex(r"[a-z]{1,8}", fullmatch=True) | any_text
registration = some_of(
    {
        "username": name | anything,
        "password": st.just("verysecure") | any_text | anything,
        "confirm": st.just("verysecure") | any_text | anything,
        "token": st.just(CODE) | any_text | anything,
    }
)


@fuzz
@given(content=registration)
def test_register_with_any_json_is_told_in_json(ask: Asker, content: object) -> None:
    ensure_token()

    assert is_told_in_json(ask("POST", "/register", body_of(content)))


@fuzz
@given(
    body=st.binary(max_size=300), kind=st.sampled_from(["application/json", "multipart/form-data; boundary=b", "a/b"])
)
def test_register_with_any_bytes_is_told_in_json(ask: Asker, body: bytes, kind: str) -> None:
    response = ask.client.generic("POST", "/register", body, content_type=kind)

    assert is_told_in_json(response)


@fuzz
@given(
    username=name,
    password=st.just("verysecure") | any_text,
    token=st.just(CODE) | any_text,
    charset=st.sampled_from(["", "; charset=utf-8", "; charset=utf-16", "; charset=nonsense", "; charset=idna"]),
)
def test_register_with_any_form_is_told_in_json(
    ask: Asker, username: str, password: str, token: str, charset: str
) -> None:
    ensure_token()
    sent = {"username": username, "password": password, "confirm": password, "token": token}
    body = "&".join(f"{key}={quote(value, errors='surrogatepass')}" for key, value in sent.items())

    response = ask.client.generic(
        "POST", "/register", body, content_type=f"application/x-www-form-urlencoded{charset}", headers={"Accept": "*/*"}
    )

    assert is_told_in_json(response)


@fuzz
@given(content=some_of({"max_usage": number, "expiration_date": moment}))
def test_create_with_any_json_is_told_in_json_and_can_be_listed(ask: Asker, content: object) -> None:
    response = ask("POST", "/api/token", body_of(content))

    assert is_told_in_json(response)
    assert is_told_in_json(ask("GET", "/api/token"))
    assert ask("GET", "/token").status_code == 200


@fuzz
@given(
    content=some_of(
        {"max_usage": number, "expiration_date": moment, "used": number, "disabled": flag, "name": anything}
    )
)
def test_patch_with_any_json_is_told_in_json_and_can_be_shown(ask: Asker, content: object) -> None:
    ensure_token()
    response = ask("PATCH", f"/api/token/{CODE}", body_of(content))

    assert is_told_in_json(response)
    assert ask("GET", f"/api/token/{CODE}").status_code == 200
    assert ask("GET", f"/token/{CODE}").status_code == 200


@fuzz
@given(content=some_of({"one_time": flag, "ex_date": moment}))
def test_create_by_the_older_api_with_any_json_is_told_in_json(ask: Asker, content: object) -> None:
    assert is_told_in_json(ask("POST", "/token", body_of(content)))
    assert ask("GET", "/token").status_code == 200


@fuzz
@given(content=some_of({"disable": flag}))
def test_put_with_any_json_is_told_in_json(ask: Asker, content: object) -> None:
    ensure_token()

    assert is_told_in_json(ask("PUT", f"/token/{CODE}", body_of(content)))


@fuzz
@given(segment=any_text, method=st.sampled_from(["GET", "PATCH", "DELETE", "PUT"]), older=st.booleans())
def test_any_name_in_the_address_is_told_in_json(ask: Asker, segment: str, method: str, older: bool) -> None:
    path = f"{'/token' if older else '/api/token'}/{quote(segment, safe='', errors='surrogatepass')}"

    assert is_told_in_json(ask(method, path, {}))
