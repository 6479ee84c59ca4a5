"""Messages: a server notice where the homeserver has them, else a direct message, and never twice."""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import quote

import pytest

from dev.proxy import ChaosProxy, Lose, Status
from dev.synapse import ADMIN
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.errors import Unreachable
from tests.homeserver.worlds import PASSWORD, adapter, new_name

NO_NOTICES = Status(400, '{"errcode": "M_UNKNOWN", "error": "Server notices are not enabled on this server"}')
NOTICE = ("PUT", "/send_server_notice/")
_limits = itertools.count(1)

pytestmark = pytest.mark.synapse


@pytest.fixture
def without_notices(chaos: ChaosProxy) -> ChaosProxy:
    """The homeserver, as if server notices were not set up."""
    chaos.add(NO_NOTICES, *NOTICE)
    return chaos


def _newcomer(synapse: RealSynapse) -> tuple[str, str]:
    """Make an account; return its name and an access token of it."""
    name = new_name()
    synapse.register(name, PASSWORD)
    return name, synapse.login(name, PASSWORD)[1]["access_token"]


def _invitations(synapse: RealSynapse, token: str) -> dict[str, Any]:
    # Synapse keeps its answer to the same question for two minutes.
    question = quote(json.dumps({"room": {"timeline": {"limit": next(_limits)}}}))
    rooms = synapse.request("GET", f"/_matrix/client/v3/sync?filter={question}", token=token)[1].get("rooms", {})
    return dict(rooms.get("invite", {}))


def _messages(synapse: RealSynapse, token: str, room_id: str) -> list[str]:
    """Join the room and read it."""
    synapse.request("POST", f"/_matrix/client/v3/join/{quote(room_id)}", {}, token=token)
    path = f"/_matrix/client/v3/rooms/{quote(room_id)}/messages?dir=b&limit=50"
    events = synapse.request("GET", path, token=token)[1]["chunk"]
    return [event["content"]["body"] for event in reversed(events) if event["type"] == "m.room.message"]


def test_say_sends_one_server_notice_however_often_it_is_tried(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    name, token = _newcomer(synapse)
    homeserver = adapter(synapse, "both", url=chaos.url)
    chaos.add(Lose(), *NOTICE, times=1)

    with pytest.raises(Unreachable):
        homeserver.say(name, "Welcome!")
    homeserver.say(name, "Welcome!")
    homeserver.say(name, "One more thing.")

    (room_id,) = _invitations(synapse, token)
    assert _messages(synapse, token, room_id) == ["Welcome!", "One more thing."]


def test_say_without_server_notices_sends_a_direct_message(synapse: RealSynapse, without_notices: ChaosProxy) -> None:
    name, token = _newcomer(synapse)
    homeserver = adapter(synapse, "token", url=without_notices.url)

    homeserver.say(name, "Welcome!")
    homeserver.say(name, "Welcome!")
    homeserver.say(name, "One more thing.")

    (room_id,) = _invitations(synapse, token)
    assert _messages(synapse, token, room_id) == ["Welcome!", "One more thing."]


def test_say_directly_whose_answer_is_lost_sends_one_message_in_one_room(
    synapse: RealSynapse, without_notices: ChaosProxy
) -> None:
    name, token = _newcomer(synapse)
    homeserver = adapter(synapse, "token", url=without_notices.url)
    without_notices.add(Lose(), "PUT", "/send/m.room.message/", times=1)

    with pytest.raises(Unreachable):
        homeserver.say(name, "Welcome!")
    homeserver.say(name, "Welcome!")

    (room_id,) = _invitations(synapse, token)
    assert _messages(synapse, token, room_id) == ["Welcome!"]


def test_say_directly_keeps_the_admins_other_direct_rooms(synapse: RealSynapse, without_notices: ChaosProxy) -> None:
    path = f"/_matrix/client/v3/user/{quote(f'@{ADMIN}:localhost', safe='')}/account_data/m.direct"
    friend = {"@friend:example.org": ["!room:example.org"]}
    before = synapse.admin("GET", path)[1]
    synapse.admin("PUT", path, {**({} if "errcode" in before else before), **friend})
    name, _token = _newcomer(synapse)

    adapter(synapse, "token", url=without_notices.url).say(name, "Welcome!")

    direct = synapse.admin("GET", path)[1]
    assert direct["@friend:example.org"] == ["!room:example.org"]
    assert len(direct[f"@{name}:localhost"]) == 1


def test_say_directly_after_the_admin_left_the_room_makes_another(
    synapse: RealSynapse, without_notices: ChaosProxy
) -> None:
    name, token = _newcomer(synapse)
    homeserver = adapter(synapse, "token", url=without_notices.url)
    homeserver.say(name, "Welcome!")
    (left,) = _invitations(synapse, token)
    assert synapse.admin("POST", f"/_matrix/client/v3/rooms/{quote(left)}/leave", {}) == (200, {})

    homeserver.say(name, "One more thing.")

    (room_id,) = set(_invitations(synapse, token)) - {left}
    assert _messages(synapse, token, room_id) == ["One more thing."]
