"""Whatever a homeserver answers, what comes out is an answer of the port or one of its errors."""

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
from foyer.homeserver.port import Homeserver
from foyer.homeserver.synapse import Synapse
from tests.homeserver.worlds import PASSWORD, TIMEOUT

KEYS = [
    *("nonce", "user_id", "access_token", "errcode", "error", "retry_after_ms", "creation_ts", "last_seen_ts"),
    *("locked", "deactivated", "threepids", "devices", "joined_rooms", "room_id", "join_rules", "creator", "users"),
    *("users_default", "invite", "flows", "server_version", "m.minimum_length", "m.require_digit", "@maria:localhost"),
]
CODES = [
    "M_UNKNOWN",
    "M_FORBIDDEN",
    "M_USER_IN_USE",
    "M_NOT_FOUND",
    "M_UNRECOGNIZED",
    "M_UNKNOWN_TOKEN",
    "M_USER_LOCKED",
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(CODES),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
    max_leaves=4,
)
bodies = st.dictionaries(st.sampled_from(KEYS), values, max_size=6) | values
answers = st.lists(
    st.tuples(st.sampled_from([200, 200, 200, 201, 302, 400, 401, 403, 404, 429, 500]), bodies), min_size=1, max_size=6
)

DEEDS: list[Callable[[Homeserver], object]] = [
    lambda homeserver: homeserver.check_name("maria"),
    lambda homeserver: homeserver.exists("maria"),
    lambda homeserver: homeserver.create("maria", PASSWORD, sign_in=True),
    lambda homeserver: homeserver.password_policy(),
    lambda homeserver: homeserver.password_is_right("maria", PASSWORD),
    lambda homeserver: homeserver.look_up("maria"),
    lambda homeserver: homeserver.hold("maria", PASSWORD),
    lambda homeserver: homeserver.open("maria"),
    lambda homeserver: homeserver.shelve("maria"),
    lambda homeserver: homeserver.reopen("maria", PASSWORD),
    lambda homeserver: homeserver.set_password("maria", PASSWORD),
    lambda homeserver: homeserver.attach_email("maria", "maria@example.org"),
    lambda homeserver: homeserver.join("maria", "#lobby:localhost"),
    lambda homeserver: homeserver.say("maria", "Welcome!"),
    lambda homeserver: homeserver.probe(["#lobby:localhost", "!id"]),
]


@pytest.fixture(scope="module")
def proxy() -> Iterator[ChaosProxy]:
    """A homeserver that gives the answers it is told to give."""
    with ChaosProxy("http://127.0.0.1:9") as running:
        yield running


@given(
    answers=answers,
    deed=st.sampled_from(DEEDS),
    credentials=st.sampled_from([("secret", None), (None, "token"), ("secret", "token"), (None, None)]),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_deed_on_any_answer_ends_in_a_result_or_an_error_of_the_tree(
    proxy: ChaosProxy,
    answers: list[tuple[int, Any]],
    deed: Callable[[Homeserver], object],
    credentials: tuple[str | None, str | None],
) -> None:
    # The newest rule is used first and once; the first one answers everything after that.
    for index, (status, body) in enumerate(answers):
        proxy.add(Status(status, json.dumps(body)), times=1 if index else None)
    homeserver = Synapse(Client(proxy.url, timeout=TIMEOUT), "localhost", *credentials)

    try:
        deed(homeserver)
    except HomeserverError as error:
        said = str(error)
    else:
        said = "done"
    finally:
        proxy.clear()
    assert said
