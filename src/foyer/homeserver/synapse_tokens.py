"""Registration tokens by Synapse's Admin API, with the traps that they have.

- `uses_allowed: 0` is no limit at all: whoever may let nobody in must say it in another way.
- A deleted token takes its counts with it, and who had begun with it gets an account that nobody counts.
- A moment that is past is refused, by the server's clock.
- A client is let past the check first and counted then, in two transactions; see CHECKED_TO_COUNTED_SECONDS.

https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import NotPossible, Unreachable
from foyer.homeserver.http import Answer, segment
from foyer.homeserver.port import TokenUses
from foyer.homeserver.synapse_admin import AdminAPI
from foyer.kit.clock import now

PATH = "/_synapse/admin/v1/registration_tokens"
CLOSING_SECONDS = 0.1
"""How far in the future a closing token ends: it must not be in the past when the server reads it."""
CHECKED_TO_COUNTED_SECONDS = 0.1
"""How long one who passed the server's check may need until it counts them."""


@dataclass
class TokensAPI:
    """What the admin may do about registration tokens."""

    admin: AdminAPI

    def put(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Make it or change it. As port.Tokens.put_token()."""
        if (uses is not None and uses <= 0) or (expires_at is not None and expires_at <= now()):
            return self._close(token)
        answer = self._change(token, uses, expires_at)
        if answer.status == 404:
            body = {"token": token, **_body(uses, expires_at)}
            answer = self.admin.call("POST", f"{PATH}/new", body)
        if "already exists" in answer.error:  # Made since it was missing a moment ago.
            answer = self._change(token, uses, expires_at)
        if _is_past(answer):
            return self._close(token)
        if not answer.ok:
            raise self.admin.api.unexpected(answer)
        if uses is not None:
            time.sleep(CHECKED_TO_COUNTED_SECONDS)
        return None

    def delete(self, token: str) -> None:
        """Delete it, and its counts."""
        answer = self.admin.call("DELETE", _path(token))
        if not answer.ok and answer.status != 404:
            raise self.admin.api.unexpected(answer)

    def uses(self, token: str) -> TokenUses | None:
        """As port.Tokens.token_uses()."""
        answer = self.admin.call("GET", _path(token))
        if answer.status == 404:
            return None
        return self._read(answer)

    def _close(self, token: str) -> None:
        """Let nobody more in by it, and keep its counts if there are any.

        Its limit becomes what is gone, and it ends in a moment, as who is pending may come to nothing. Only one that
        was never used is deleted, once it is sure that nobody can have begun with it.
        """
        answer = self.admin.call("GET", _path(token))
        if answer.status == 404:
            return
        gone = self._read(answer).all
        if gone or not _has_ended(answer):
            answer = self._change(token, max(1, gone), now() + timedelta(seconds=CLOSING_SECONDS))
            if _is_past(answer):  # Our clock is behind the server's.
                answer = self._change(token, max(1, gone), None)
            if answer.status == 404:
                return
            self._read(answer)
            time.sleep(CLOSING_SECONDS + CHECKED_TO_COUNTED_SECONDS)
            gone = max(gone, self._gone(token))
        if not gone:
            self.delete(token)

    def _gone(self, token: str) -> int:
        uses = self.uses(token)
        return uses.all if uses else 0

    def _change(self, token: str, uses: int | None, expires_at: datetime | None) -> Answer:
        return self.admin.call("PUT", _path(token), _body(uses, expires_at))

    def _read(self, answer: Answer) -> TokenUses:
        """Return the counts of an answer that shows a token."""
        if not answer.ok:
            raise self.admin.api.unexpected(answer)
        pending, completed = answer.body.get("pending"), answer.body.get("completed")
        if not isinstance(pending, int) or not isinstance(completed, int):
            raise Unreachable(maybe_done=False, detail=f"{answer.asked}: no pending and completed")
        return TokenUses(pending=max(0, pending), completed=max(0, completed))


def _path(token: str) -> str:
    if token in (".", ".."):  # On the way they are taken for folders.
        raise NotPossible(remedy=_("A code of dots alone cannot be the homeserver's registration token."))
    return f"{PATH}/{segment(token)}"


def _body(uses: int | None, expires_at: datetime | None) -> dict[str, int | None]:
    moment = None if expires_at is None else int(expires_at.timestamp() * 1000)
    return {"uses_allowed": uses, "expiry_time": moment}


def _is_past(answer: Answer) -> bool:
    return answer.status == 400 and "in the past" in answer.error


def _has_ended(answer: Answer) -> bool:
    moment = answer.body.get("expiry_time")
    return isinstance(moment, int) and moment / 1000 < now().timestamp() - CHECKED_TO_COUNTED_SECONDS
