"""Rooms and messages by Synapse's Admin API.

https://element-hq.github.io/synapse/latest/admin_api/room_membership.html
https://element-hq.github.io/synapse/latest/admin_api/server_notices.html
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import AccountMissing, HomeserverError, RoomRefused, Unreachable, filled
from foyer.homeserver.http import Answer, segment
from foyer.homeserver.port import Finding, Level
from foyer.homeserver.synapse_admin import AdminAPI


@dataclass
class RoomsAPI:
    """What the admin may do about rooms and messages. Takes MXIDs."""

    admin: AdminAPI
    _admin_mxid: str = field(default="", init=False)
    _direct_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def join(self, mxid: str, room: str) -> None:
        """Put the account into the room. Errors as port.Rooms.join()."""
        answer = self.admin.call("POST", f"/_synapse/admin/v1/join/{segment(room)}", {"user_id": mxid})
        if answer.ok:
            return
        if answer.status == 404 and "user not found" in answer.error.lower():
            raise AccountMissing(**answer.said)
        # In a room that is not public the admin invites first, and that is refused for one who is in already.
        if answer.status == 403 and self._id_of(room) in self._rooms_of(mxid):
            return
        raise _room_refused(answer, room)

    def say(self, mxid: str, text: str) -> None:
        """Send a server notice, else a direct message. Errors as port.Says.say()."""
        body = {"user_id": mxid, "content": _message(text)}
        # With the same transaction id a repeated request is answered and not sent again.
        answer = self.admin.call("PUT", f"/_synapse/admin/v1/send_server_notice/{_transaction(mxid, text)}", body)
        if answer.ok:
            return
        if answer.status == 404:
            raise AccountMissing(**answer.said)
        if answer.status != 400:
            raise self.admin.api.unexpected(answer)
        self._say_directly(mxid, text)

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """Send a message into a room. Errors as port.Says.say_in_room()."""
        transaction = _transaction(room, key or text)
        answer = self._send(self._id_to_speak_in(room), transaction, text)
        if answer.status == 403:  # not in the room (any more); where it is public or we are invited, that is mended
            answer = self._send(self._enter(room), transaction, text)
        if answer.status in (403, 404):
            raise _may_not_speak(answer, room)
        if not answer.ok:
            raise self.admin.api.unexpected(answer)

    def admin_mxid(self) -> str:
        """Return whose token we have.

        Raises:
            Misconfigured: the token is nobody's.
        """
        if not self._admin_mxid:
            answer = self.admin.call("GET", "/_matrix/client/v3/account/whoami")
            if not answer.text("user_id"):
                raise self.admin.api.unexpected(answer)
            self._admin_mxid = answer.text("user_id")
        return self._admin_mxid

    def examine(self, room: str) -> Finding:
        """Say whether newcomers can be put into this room."""
        try:
            room_id = self._id_of(room)
            details = self.admin.call("GET", f"/_synapse/admin/v1/rooms/{segment(room_id)}")
            if not details.ok:
                raise _room_refused(details, room)
            if details.text("join_rules") != "public" and not self._may_invite(room_id, details):
                raise _room_refused(details, room)
        except RoomRefused as error:
            sentence = _("Nobody can be put into the room %(room)s.")
            return Finding(Level.FAULT, str(filled(sentence, room=room)), error.remedy)
        except HomeserverError as error:
            sentence = _("Whether people can be put into the room %(room)s could not be found out.")
            return Finding(Level.WARNING, str(filled(sentence, room=room)), error.detail)
        return Finding(Level.OK, str(filled(_("Newcomers can be put into the room %(room)s."), room=room)))

    def _id_of(self, room: str) -> str:
        if not room.startswith("#"):
            return room
        answer = self._look_up_alias(room)
        if not answer.ok:
            raise _room_refused(answer, room)
        return answer.text("room_id")

    def _look_up_alias(self, alias: str) -> Answer:
        return self.admin.call("GET", f"/_matrix/client/v3/directory/room/{segment(alias)}")

    def _rooms_of(self, mxid: str) -> list[object]:
        answer = self.admin.call("GET", f"/_synapse/admin/v1/users/{segment(mxid)}/joined_rooms")
        rooms = answer.body.get("joined_rooms")
        return rooms if isinstance(rooms, list) else []

    def _may_invite(self, room_id: str, details: Answer) -> bool:
        admin = self.admin_mxid()
        if room_id not in self._rooms_of(admin):
            return False
        if details.text("creator") == admin:
            return True
        path = f"/_matrix/client/v3/rooms/{segment(room_id)}/state/m.room.power_levels"
        levels = self.admin.call("GET", path).body
        users = levels.get("users")
        power = users.get(admin) if isinstance(users, dict) else None
        own, needed = _level(power, levels.get("users_default")), _level(levels.get("invite"))
        return own >= needed

    def _say_directly(self, mxid: str, text: str) -> None:
        self.admin.existing(mxid)  # Synapse would invite nobody without a word.
        # One at a time: the list of direct rooms is read, changed and written as a whole.
        with self._direct_lock:
            transaction = _transaction(mxid, text)
            for room_id in reversed(_room_ids(self._direct_rooms(), mxid)):
                if self._send(room_id, transaction, text).ok:
                    return
            room_id = self._make_direct_room(mxid)
        answer = self._send(room_id, transaction, text)
        if not answer.ok:
            raise self.admin.api.unexpected(answer)

    def _id_to_speak_in(self, room: str) -> str:
        if not room.startswith("#"):
            return room
        answer = self._look_up_alias(room)
        if not answer.ok:
            raise RoomRefused(
                remedy=filled(_("There is no room %(room)s. Correct its name."), room=room), **answer.said
            )
        return answer.text("room_id")

    def _enter(self, room: str) -> str:
        """Join the room as the admin; return its id."""
        answer = self.admin.call("POST", f"/_matrix/client/v3/join/{segment(room)}", {})
        if answer.status in (403, 404):
            raise _may_not_speak(answer, room)
        if not answer.ok:
            raise self.admin.api.unexpected(answer)
        return answer.text("room_id")

    def _send(self, room_id: str, transaction: str, text: str) -> Answer:
        path = f"/_matrix/client/v3/rooms/{segment(room_id)}/send/m.room.message/{transaction}"
        return self.admin.call("PUT", path, _message(text))

    def _direct_rooms(self) -> dict[str, Any]:
        answer = self.admin.call("GET", self._direct_path())
        if answer.status == 404:
            return {}
        if not answer.ok:
            raise self.admin.api.unexpected(answer)
        return answer.body

    def _make_direct_room(self, mxid: str) -> str:
        body = {"preset": "trusted_private_chat", "is_direct": True, "invite": [mxid]}
        answer = self.admin.call("POST", "/_matrix/client/v3/createRoom", body)
        if not answer.ok:
            raise self.admin.api.unexpected(answer)
        room_id = answer.text("room_id")
        if not room_id:
            raise Unreachable(maybe_done=True, **answer.said)
        direct = self._direct_rooms()
        noted = self.admin.call("PUT", self._direct_path(), {**direct, mxid: [*_room_ids(direct, mxid), room_id]})
        if not noted.ok:
            raise self.admin.api.unexpected(noted)
        return room_id

    def _direct_path(self) -> str:
        return f"/_matrix/client/v3/user/{segment(self.admin_mxid())}/account_data/m.direct"


def _room_refused(answer: Answer, room: str) -> RoomRefused:
    if answer.ok or answer.status == 403:
        remedy = _("Let the account of homeserver.admin_token join the room %(room)s, with the right to invite.")
    else:
        remedy = _("There is no room %(room)s here. Correct its name in after.rooms or in the invitation.")
    return RoomRefused(remedy=filled(remedy, room=room), **answer.said)


def _may_not_speak(answer: Answer, room: str) -> RoomRefused:
    remedy = _("Let the account of homeserver.admin_token join the room %(room)s, with the right to write there.")
    return RoomRefused(remedy=filled(remedy, room=room), **answer.said)


def _room_ids(direct: dict[str, Any], mxid: str) -> list[str]:
    rooms = direct.get(mxid)
    return [room for room in rooms if isinstance(room, str)] if isinstance(rooms, list) else []


def _message(text: str) -> dict[str, str]:
    return {"msgtype": "m.text", "body": text}


def _transaction(mxid: str, text: str) -> str:
    return "foyer-" + hashlib.sha256(f"{mxid}\0{text}".encode()).hexdigest()[:32]


def _level(*candidates: object) -> int:
    """The first power level that is a number; levels are 0 where none is given."""
    return next((level for level in candidates if isinstance(level, int)), 0)
