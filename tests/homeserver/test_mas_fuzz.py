"""Whatever the Matrix Authentication Service answers, what comes out is an answer of the port or one of its errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.proxy import ChaosProxy, Status
from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.http import Client
from foyer.homeserver.mas import Mas
from foyer.homeserver.port import Homeserver
from tests.homeserver.test_fuzz import DEEDS as COMMON
from tests.homeserver.worlds import TIMEOUT

ID = "01J44QC8BCY7FCFM7WGHQGKMTJ"
KEYS = [
    *("data", "attributes", "id", "links", "next", "errors", "title", "error", "scope", "expires_in", "flows"),
    *("created_at", "locked_at", "deactivated_at", "user_id", "token", "times_used", "revoked_at", "device_id"),
    *("minimum_password_complexity", "password_login_enabled", "version", "server_name", "errcode"),
]
DEEDS: list[Callable[[Homeserver], object]] = [
    *COMMON,
    lambda homeserver: homeserver.rehold("maria", "correct horse 1"),
    lambda homeserver: homeserver.put_token("code", uses=1, expires_at=None),
    lambda homeserver: homeserver.delete_token("code"),
    lambda homeserver: homeserver.token_uses("code"),
]

words = st.sampled_from(
    [ID, "localhost", "urn:mas:admin", "invalid_client", "2026-01-01T00:00:00Z", "Username is reserved"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
users = st.fixed_dictionaries(
    {"data": st.fixed_dictionaries({"id": words, "attributes": st.dictionaries(st.sampled_from(KEYS), values)})}
)
answers = st.lists(
    st.tuples(
        st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500]),
        users | st.dictionaries(st.sampled_from(KEYS), values, max_size=6) | values,
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def proxy() -> Iterator[ChaosProxy]:
    """Both servers, which give the answers that they are told to give."""
    with ChaosProxy("http://127.0.0.1:9") as running:
        yield running


@given(
    answers=answers, deed=st.sampled_from(DEEDS), gives_tokens=st.booleans(), admin_token=st.sampled_from([None, "t"])
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_deed_on_any_answer_ends_in_a_result_or_an_error_of_the_tree(
    proxy: ChaosProxy,
    answers: list[tuple[int, Any]],
    deed: Callable[[Homeserver], object],
    admin_token: str | None,
    *,
    gives_tokens: bool,
) -> None:
    # The newest rule is used first and once; the first one answers everything after that, but for endless lists.
    for index, (status, body) in enumerate(answers):
        proxy.add(Status(status, json.dumps(body)), times=1 if index else 50)
    if gives_tokens:
        token = {"access_token": "t", "scope": "urn:mas:admin", "expires_in": 300}
        proxy.add(Status(200, json.dumps(token)), "POST", "/oauth2/token")
    client = Client(proxy.url, timeout=TIMEOUT)
    homeserver = Mas(client, Client(proxy.url, timeout=TIMEOUT), "localhost", "id", "secret", admin_token)

    try:
        deed(homeserver)
    except HomeserverError as error:
        said = str(error)
    else:
        said = "done"
    finally:
        proxy.clear()
    assert said
