"""People at the Matrix Authentication Service: their accounts, passwords and sessions.

Nothing here makes or overwrites by accident: `POST users` answers 409 where there is somebody of that name, and
everything else takes the id of an account that was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import AccountMissing, Misconfigured, NameRefused, NameTaken, PasswordRefused, Unreachable
from foyer.homeserver.http import Answer
from foyer.homeserver.mas_access import MasAPI, title
from foyer.homeserver.port import Sighting

RESERVED = "Username is reserved"
PASSWORDS_OFF = _(
    "The Matrix Authentication Service keeps no passwords. Set passwords.enabled: true in its config.yaml."
)
PAGE = 100
SIGNS_OF_LIFE = ("/user-sessions", "/oauth2-sessions", "/compat-sessions")
"""Whoever signed in has one of these, ended or not."""
TRIAL_DEVICE, NEW_DEVICE = "FOYERTRIAL", "FOYERJOINED"
OUR_DEVICES = (TRIAL_DEVICE, NEW_DEVICE)
"""The ids of devices that we sign in with. The service allows letters, digits and hyphens in them."""
NOT_EVERYWHERE = frozenset({"/personal-sessions"})
"""What older services do not have, and therefore nothing of."""


@dataclass(frozen=True)
class MasUser:
    """An account as the service shows it. id: how all else knows it; created_at: UTC."""

    id: str
    created_at: datetime
    locked: bool
    deactivated: bool


@dataclass
class Users:
    """What the client may do to accounts. Takes localparts where a name is asked for, else ids."""

    api: MasAPI

    def find(self, localpart: str) -> MasUser | None:
        """Return the account of this name, if there ever was one."""
        answer = self.api.call("GET", f"/users/by-username/{_hidden(localpart)}")
        if answer.status == 404:
            return None
        if not answer.ok:
            raise self.api.unexpected(answer)
        return _user(answer)

    def existing(self, localpart: str) -> MasUser:
        """Return the account of this name.

        Raises:
            AccountMissing
        """
        user = self.find(localpart)
        if user is None:
            raise AccountMissing(detail="GET of the account: 404")
        return user

    def look_up(self, localpart: str) -> Sighting | None:
        """Return the account as port.LooksUp.look_up() does."""
        user = self.find(localpart)
        if user is None:
            return None
        return Sighting(
            created_at=user.created_at.replace(microsecond=0),
            seen=self._was_used(user.id),
            locked=user.locked,
            deactivated=user.deactivated,
        )

    def claim(self, localpart: str) -> MasUser:
        """Make an account without a password if there is none. Nobody can sign in to it.

        Raises:
            NameTaken, NameRefused
        """
        answer = self.api.call("POST", "/users", {"username": localpart})
        if answer.ok:
            return _user(answer, maybe_done=True)
        if answer.status == 409 and title(answer).startswith(RESERVED):
            # Said before anything is made: at the homeserver somebody has it, or a service keeps it for itself.
            raise NameRefused(
                detail=answer.asked, errcode="M_EXCLUSIVE", error="This user ID is reserved.", http_status=400
            )
        if answer.status == 409:
            raise taken(answer.asked)
        if answer.status == 400:
            raise NameRefused(
                detail=answer.asked, errcode="M_INVALID_USERNAME", error="User ID is not valid", http_status=400
            )
        raise self.api.unexpected(answer)

    def set_password(self, user_id: str, password: str) -> None:
        """Give it this password; it says nothing of its sessions.

        Raises:
            AccountMissing, PasswordRefused
        """
        answer = self.api.call("POST", f"/users/{user_id}/set-password", {"password": password})
        if answer.ok:
            return
        if answer.status == 400:
            raise PasswordRefused(reasons=["password-too-weak"], **answer.said)
        if answer.status == 403:
            raise Misconfigured(remedy=PASSWORDS_OFF, **answer.said)
        raise self._failed(answer)

    def forget_password(self, user_id: str, unguessable: str) -> None:
        """Put a password in its place that nobody knows, unless the service keeps none at all.

        Raises:
            AccountMissing
        """
        body = {"password": unguessable, "skip_password_check": True}
        answer = self.api.call("POST", f"/users/{user_id}/set-password", body)
        if not answer.ok and answer.status != 403:
            raise self._failed(answer)

    def lock(self, user: MasUser) -> None:
        """Let nobody use it. Its sessions stay, and would live again with it."""
        if not user.locked:
            self._do(user, "lock")

    def unlock(self, user: MasUser) -> None:
        """Let it be used. A deactivated one stays deactivated."""
        if user.locked:
            self._do(user, "unlock")

    def reactivate(self, user: MasUser) -> None:
        """Bring it back, as locked as it is."""
        if user.deactivated:
            self._do(user, "reactivate")

    def end_sessions(self, user_id: str) -> None:
        """Sign out every browser and every device."""
        for kind, deed in (
            ("user-sessions", "finish"),
            ("compat-sessions", "finish"),
            ("oauth2-sessions", "finish"),
            ("personal-sessions", "revoke"),
        ):
            whose = "filter[actor_user]" if kind == "personal-sessions" else "filter[user]"
            for session in list(every(self.api, f"/{kind}", {whose: user_id, "filter[status]": "active"})):
                answer = self.api.call("POST", f"/{kind}/{session['id']}/{deed}")
                if not answer.ok and answer.status not in (400, 404, 409):  # Those say that it has ended.
                    raise self.api.unexpected(answer)

    def _do(self, user: MasUser, deed: str) -> None:
        answer = self.api.call("POST", f"/users/{user.id}/{deed}")
        if not answer.ok:
            raise self._failed(answer)

    def _failed(self, answer: Answer) -> AccountMissing | Misconfigured:
        return AccountMissing(**answer.said) if answer.status == 404 else self.api.unexpected(answer)

    def _was_used(self, user_id: str) -> bool:
        """Somebody signed in to it, other than we."""
        return any(
            entry["attributes"].get("device_id") not in OUR_DEVICES
            for kind in SIGNS_OF_LIFE
            for entry in every(self.api, kind, {"filter[user]": user_id})
        )


def taken(asked: str) -> NameTaken:
    """Return the refusal of a name that somebody has, in the words that Matrix has for it."""
    return NameTaken(detail=asked, errcode="M_USER_IN_USE", error="User ID already taken.", http_status=400)


def every(api: MasAPI, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the resources of a list, page after page."""
    after = query.get("page[after]", "")
    while True:
        beyond = {"page[after]": after} if after else {}
        page, is_last = _page(api, path, {**query, **beyond, "page[first]": str(PAGE)})
        yield from page
        if is_last or not page:
            return
        if page[-1]["id"] <= after:
            raise Unreachable(maybe_done=False, detail=f"GET {path}: the list goes round in a circle")
        after = page[-1]["id"]


def resource(answer: Answer, *, maybe_done: bool = False) -> dict[str, Any]:
    """Return the resource that an answer holds: its `id` is text, its `attributes` are an object.

    Raises:
        Unreachable: there is none; what answered is something else.
    """
    data = answer.body.get("data")
    if not _is_resource(data):
        raise Unreachable(maybe_done=maybe_done, detail=f"{answer.asked}: no resource")
    return cast("dict[str, Any]", data)


def _page(api: MasAPI, path: str, query: dict[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """Return the resources, and whether these are the last."""
    is_optional = path in NOT_EVERYWHERE
    answer = api.call("GET", path, query=query, is_optional=is_optional)
    if answer.status == 404 and is_optional and not title(answer):
        return [], True
    if not answer.ok:
        raise AccountMissing(**answer.said) if answer.status == 404 else api.unexpected(answer)
    data, links = answer.body.get("data"), answer.body.get("links")
    data = [] if data is None else data
    if not isinstance(data, list) or not all(_is_resource(item) for item in data):
        raise Unreachable(maybe_done=False, detail=f"{answer.asked}: no list of resources")
    return data, not isinstance(links, dict) or links.get("next") is None


def _is_resource(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("id"), str) and isinstance(data.get("attributes"), dict)


def _user(answer: Answer, *, maybe_done: bool = False) -> MasUser:
    data = resource(answer, maybe_done=maybe_done)
    attributes = data["attributes"]
    return MasUser(
        id=data["id"],
        created_at=_moment(answer, attributes.get("created_at"), maybe_done=maybe_done),
        locked=attributes.get("locked_at") is not None,
        deactivated=attributes.get("deactivated_at") is not None,
    )


def _moment(answer: Answer, text: object, *, maybe_done: bool) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Unreachable(maybe_done=maybe_done, detail=f"{answer.asked}: no moment") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _hidden(localpart: str) -> str:
    """Encode a name for a path, every sign of it: a part with a % is left out of the log."""
    return "".join(f"%{byte:02X}" for byte in localpart.encode())
