"""Registration tokens at the Matrix Authentication Service.

It knows them by ids and has no search, so that they are read once from the beginning, and then only what came since:
ids (ULIDs) begin with the time. A token is never deleted there, only revoked; its count stays.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from foyer.homeserver.errors import HomeserverError, Unreachable
from foyer.homeserver.http import Answer
from foyer.homeserver.mas_access import MasAPI
from foyer.homeserver.mas_users import every, resource
from foyer.homeserver.port import TokenUses
from foyer.kit.clock import now

PATH = "/user-registration-tokens"
OVERLAP_MS = 10_000
"""How much is read again: of two made at once the earlier may be shown later, and clocks of several servers differ."""
CHECKED_TO_COUNTED_SECONDS = 0.1
"""How long one who passed the service's check may need until they are counted, as at Synapse."""
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class RegistrationTokens:
    """What the client may do about registration tokens."""

    api: MasAPI
    _ids: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _newest: str = field(default="", init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def put(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Make it or change it. As port.Tokens.put_token()."""
        wanted = {"usage_limit": None if uses is None else max(0, uses), "expires_at": _text(expires_at)}
        is_closed = (uses is not None and uses <= 0) or (expires_at is not None and expires_at <= now())
        found = self._find(token)
        if found is None and is_closed:
            return
        if found is None:
            found = self._make(token, wanted)
        if found is not None:
            self._change(found, wanted, is_closed=is_closed)
            if wanted["usage_limit"] is not None or is_closed:
                time.sleep(CHECKED_TO_COUNTED_SECONDS)

    def revoke(self, token: str) -> None:
        """Let nobody more in by it."""
        found = self._find(token)
        if found is not None:
            self._turn(found, "revoke")

    def uses(self, token: str) -> TokenUses | None:
        """As port.Tokens.token_uses(). The service counts when an account is made, and knows nobody pending."""
        found = self._find(token)
        if found is None:
            return None
        answer = self.api.call("GET", f"{PATH}/{found}")
        if answer.status == 404:
            return None
        if not answer.ok:
            raise self.api.unexpected(answer)
        count = resource(answer)["attributes"].get("times_used")
        if not isinstance(count, int):
            raise Unreachable(maybe_done=False, detail=f"{answer.asked}: no times_used")
        return TokenUses(pending=0, completed=count)

    def _make(self, token: str, wanted: dict[str, Any]) -> str | None:
        """Return None if it is made, or the id of one that was made since it was looked for."""
        try:
            answer = self.api.call("POST", PATH, {"token": token, **wanted})
        except Unreachable:
            # Some versions answer 500 where there is one already.
            found = self._find(token)
            if found is None:
                raise
            return found
        if answer.ok:
            return None
        found = self._find(token)
        if found is None:
            raise self.api.unexpected(answer)
        return found

    def _change(self, found: str, wanted: dict[str, Any], *, is_closed: bool) -> None:
        # The limits before the door: it must not be open with the old ones.
        answer = self.api.call("PUT", f"{PATH}/{found}", wanted)
        if not answer.ok:
            raise self._failed(answer)
        is_revoked = resource(answer)["attributes"].get("revoked_at") is not None
        if is_revoked and not is_closed:
            self._turn(found, "unrevoke")

    def _turn(self, found: str, deed: str) -> None:
        answer = self.api.call("POST", f"{PATH}/{found}/{deed}")
        if not answer.ok and answer.status not in (400, 404):  # 400: it is so already.
            raise self._failed(answer)

    def _find(self, token: str) -> str | None:
        """Return its id. A token keeps it for ever."""
        with self._lock:
            if token not in self._ids:
                after = {"page[after]": _a_little_before(self._newest)} if self._newest else {}
                for entry in every(self.api, PATH, after):
                    self._ids[str(entry["attributes"].get("token"))] = entry["id"]
                    self._newest = max(self._newest, entry["id"])
            return self._ids.get(token)

    def _failed(self, answer: Answer) -> HomeserverError:
        if answer.status == 404:
            # The service was set up anew, and with it go the ids.
            with self._lock:
                self._ids.clear()
                self._newest = ""
            return Unreachable(maybe_done=False, **answer.said)
        return self.api.unexpected(answer)


def _a_little_before(ulid: str) -> str:
    """Return the first id that can be given OVERLAP_MS before this one; of what is no ULID, the first of all."""
    moment = 0
    for sign in ulid[:10]:
        moment = moment * 32 + max(0, CROCKFORD.find(sign))
    moment = max(0, moment - OVERLAP_MS) if len(ulid) == 26 and set(ulid) <= set(CROCKFORD) else 0
    return "".join(CROCKFORD[moment >> shift & 31] for shift in range(45, -1, -5)) + "0" * 16


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
