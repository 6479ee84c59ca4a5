"""An invitation that is the homeserver's own registration token as well, so that clients can register by it natively.

The promise: what was used here, what is held here and what was used or begun there never passes the limit together.
Whoever joins here holds a use first; then the homeserver is told to let one fewer in, and its answer says whether that
came in time. Only then is the account made. What is told to the homeserver is told by one at a time, who holds the
lease of the row; what is known here is always the most that the homeserver may be letting in.

Unlimited invitations need none of that: they are only counted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver.errors import HomeserverError, Misconfigured, Unreachable
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Capability, TokenUses
from foyer.invites.errors import InviteBusy, InviteSpent
from foyer.invites.models import Invite, Mirror, MirrorState
from foyer.invites.statements import MIRRORED
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal

KIND = "invites.mirror"
LOOK_AGAIN_SECONDS = 0.03
UNSURE = timedelta(minutes=5)
MOST_AT_ONCE = 200
MOST_FAILURES = 3


class MirrorPinned(Refusal):
    """It is for one name or email."""

    code = "mirror-pinned"
    field = "mirror"
    sentence = _(
        "An invitation for one user name or email cannot be a registration token of the homeserver as well: the "
        "homeserver would let anybody in by it."
    )


class MirrorNotPossible(Refusal):
    """This homeserver, or the credentials for it, know no registration tokens."""

    code = "mirror-not-possible"
    field = "mirror"
    sentence = _(
        "Foyer cannot keep registration tokens at this homeserver: `foyer doctor` says what it needs for that."
    )


def is_possible() -> bool:
    """Say whether the homeserver and our credentials for it allow this."""
    try:
        return Capability.TOKENS in current_homeserver().capabilities
    except HomeserverError:
        return False


def require_possible(*, localpart: str = "", email: str = "") -> None:
    """Let through what can be mirrored.

    Raises:
        MirrorPinned, MirrorNotPossible
    """
    if localpart or email:
        raise MirrorPinned
    if not is_possible():
        raise MirrorNotPossible


def is_pinned(invite: Invite) -> bool:
    """Say whether it is for one name or email."""
    return bool(invite.localpart or invite.email)


Standing = Literal["", "waiting", "there", "taken", "over"]


def standing(invite: Invite) -> Standing:
    """Return how it stands at the homeserver; empty: it is not, and never was, to be mirrored.

    For many, `select_related("mirror")`.
    """
    mirror = _row(invite)
    if mirror is None:
        return ""
    if mirror.state != MirrorState.NONE:
        return "there" if mirror.state == MirrorState.THERE else "taken"
    return "waiting" if mirror.wanted and invite.is_live and not is_pinned(invite) else "over"


def used_there(invite: Invite) -> int:
    """Return how many of its uses were registrations at the homeserver itself, as far as they are counted."""
    mirror = _row(invite)
    return mirror.used_there if mirror else 0


def _row(invite: Invite) -> Mirror | None:
    return getattr(invite, "mirror", None)


def want(invite: Invite, wanted: bool) -> None:
    """Have the homeserver keep a token of this invitation, or have none there any more.

    Call in the transaction that makes or changes it.
    """
    if wanted:
        # A row of its code may be left of one that was deleted. Its token is ours, and what it counted stays counted.
        fresh = {"invite": invite, "wanted": True, "used_there": 0}
        if not Mirror.objects.filter(invite=invite).update(wanted=True):
            Mirror.objects.update_or_create(code=invite.code, defaults=fresh)
    else:
        Mirror.objects.filter(invite=invite).update(wanted=False)
    follow(invite.pk)


def follow(invite_id: int) -> None:
    """Owe the homeserver what has changed here, if anything of this invitation is there.

    Call in the transaction of the change.
    """
    for code in Mirror.objects.filter(invite_id=invite_id).values_list("code", flat=True):
        jobs.enqueue(KIND, subject=code)


def let_go(invite_id: int) -> None:
    """Withdraw the token of an invitation that is being deleted. Call in that transaction, before it is."""
    Mirror.objects.filter(invite_id=invite_id).update(wanted=False)
    follow(invite_id)


def doubt() -> None:
    """Tell the homeserver everything again at the next turn: what is known here is of another time."""
    Mirror.objects.filter(state=MirrorState.THERE).update(unsure_until=now())


def secure(code: str, *, step_back: Callable[[Refusal], None]) -> bool:
    """Have the homeserver let one fewer in, for somebody who holds a use here and is about to get an account.

    Call after the reservation is committed, in no transaction. Costs one query where nothing is mirrored: False then.
    `step_back` releases the reservation, once or more often: where the homeserver has given too many away, whoever
    comes next must not count it any more.

    Raises:
        InviteSpent, InviteBusy: it was given away at the homeserver.
        HomeserverError: nobody knows.
    """
    code = code.strip()
    there = MIRRORED.first(code)
    if there is None or there.invite is None or there.invite.uses_limit is None:
        return False
    try:
        with _lease(code) as mirror:
            _lower(mirror)
            refusal = _refusal(mirror)
            if refusal is not None:
                step_back(refusal)
                raise refusal
    except Mirror.DoesNotExist:
        pass
    except Refusal as refusal:
        step_back(refusal)
        raise
    return True


def _lower(mirror: Mirror) -> None:
    """Let the homeserver allow no more than what is left here, now that somebody holds a use."""
    while (invite := mirror.invite) is not None and mirror.state == MirrorState.THERE:
        most = _most(invite, mirror)
        if most is None or _is_covered(mirror, most):
            return
        uses = _put(mirror, most, invite.expires_at)
        _note(mirror, allowed=max(most, uses.all))
        invite.refresh_from_db()
        # A token that was removed there took its counts along: then it was told too much.
        left = _most(invite, mirror)
        if left is None or left >= most or uses.all > most:
            return


def _refusal(mirror: Mirror) -> Refusal | None:
    """Return why the use that is held here was given away at the homeserver, or None."""
    invite = mirror.invite
    most = None if invite is None else _most(invite, mirror)
    if most is None or mirror.state != MirrorState.THERE or (mirror.allowed is not None and mirror.allowed <= most):
        return None
    return InviteSpent() if mirror.counted > most else InviteBusy()


def sync(code: str) -> None:
    """Make the homeserver's token what the invitation is now, and count what was used there.

    Raises:
        HomeserverError: it was not told; try again.
        InviteBusy: somebody else is telling it something.
    """
    with _lease(code) as mirror:
        invite = mirror.invite
        is_wanted = invite is not None and mirror.wanted and not is_pinned(invite)
        if mirror.state != MirrorState.THERE and not (is_wanted and invite is not None and _claimed(mirror, invite)):
            _forget(mirror, is_wanted=is_wanted)
            return
        uses = current_homeserver().token_uses(code)
        _count(mirror, uses)
        if invite is not None:
            invite.refresh_from_db()  # Whoever held a use before the row said "there" did not wait for us.
        if is_wanted and mirror.invite is not None and mirror.invite.is_live:
            _tell(mirror, mirror.invite, is_there=uses is not None)
        else:
            _withdraw(mirror, uses)


def sync_all() -> bool:
    """Count what was used at the homeserver, those first that were looked at longest ago. True: there are more.

    Raises:
        HomeserverError: it does not answer.
    """
    due = Mirror.objects.filter(state=MirrorState.THERE).filter(
        Q(checked_at=None) | Q(checked_at__lt=now() - timedelta(seconds=30)) | Q(checked_at__gt=now())
    )
    codes = list(due.order_by(F("checked_at").asc(nulls_first=True), "id").values_list("code", flat=True))
    failed: list[Unreachable | Misconfigured] = []
    for code in codes[:MOST_AT_ONCE]:
        try:
            sync(code)
        except (InviteBusy, Mirror.DoesNotExist):
            continue  # somebody else is at it, or it is gone
        except (Unreachable, Misconfigured) as error:
            # It may be this code that the homeserver chokes on, or refuses; the others must not wait for it.
            failed.append(error)
            if len(failed) == MOST_FAILURES:
                break
    if failed:
        raise failed[-1]
    return len(codes) > MOST_AT_ONCE


def _claimed(mirror: Mirror, invite: Invite) -> bool:
    """Say whether the code may be ours at the homeserver; from then on it is, whatever becomes of the first request."""
    if not invite.is_live:
        return False
    if not mirror.is_ours and current_homeserver().token_uses(mirror.code) is not None:
        if mirror.state != MirrorState.TAKEN:
            with transaction.atomic():
                _note(mirror, state=MirrorState.TAKEN, checked_at=now())
                record(Verb.INVITE_NOT_MIRRORED, actor=Actor.job(), subject=("invite", invite.pk))
        return False
    # Until the homeserver is told, it can let nobody in; what it is told is written down before.
    _note(mirror, state=MirrorState.THERE, is_ours=True, allowed=0, ends_at=None)
    return True


def _forget(mirror: Mirror, *, is_wanted: bool) -> None:
    """Nothing of ours is at the homeserver, and nothing shall be."""
    if mirror.invite_id is None:
        mirror.delete()
    elif not is_wanted and mirror.state == MirrorState.TAKEN:
        _note(mirror, state=MirrorState.NONE)


def _tell(mirror: Mirror, invite: Invite, *, is_there: bool) -> None:
    """Let the homeserver allow what is left here, if it does not do so already."""
    most = _most(invite, mirror)
    is_said = mirror.allowed == most and mirror.ends_at == invite.expires_at and (is_there or most == 0)
    if is_said and mirror.unsure_until is None:
        return
    if most is None or (mirror.allowed is not None and most > mirror.allowed):
        _note(mirror, allowed=most)
    uses = _put(mirror, most, invite.expires_at)
    if most is not None:
        _note(mirror, allowed=max(most, uses.all))


def _withdraw(mirror: Mirror, uses: TokenUses | None) -> None:
    """Let nobody more in there; once nobody is on the way in any more, remove it."""
    if uses is not None and not (_is_closed(mirror) and mirror.allowed == uses.all):
        uses = _put(mirror, 0, now())
        _note(mirror, allowed=uses.all)
    if uses is not None and uses.pending and mirror.invite is not None:
        return
    current_homeserver().delete_token(mirror.code)
    if mirror.invite is None:
        mirror.delete()
    else:
        _note(mirror, state=MirrorState.NONE, allowed=0, ends_at=None, pending=0)


def _is_closed(mirror: Mirror) -> bool:
    return mirror.ends_at is not None and mirror.ends_at <= now()


def _note(mirror: Mirror, **facts: object) -> None:
    Mirror.objects.filter(id=mirror.pk).update(**facts)
    for name, value in facts.items():
        setattr(mirror, name, value)


def _most(invite: Invite, mirror: Mirror) -> int | None:
    """Return how many the homeserver may let in at most, those included that it has let in by the token as it is."""
    if invite.uses_limit is None:
        return None
    return max(0, invite.uses_limit - (invite.used - mirror.counted) - invite.held)


def _is_covered(mirror: Mirror, most: int) -> bool:
    """Say whether the homeserver lets in so few already: whoever told it that has told it for us as well."""
    return mirror.allowed is not None and mirror.allowed <= most and mirror.unsure_until is None


def _put(mirror: Mirror, most: int | None, ends_at: datetime | None) -> TokenUses:
    """Tell the homeserver, then ask what was used there, and count it."""
    homeserver = current_homeserver()
    unsure_before = mirror.unsure_until
    _note(mirror, unsure_until=now() + UNSURE)
    homeserver.put_token(mirror.code, uses=most, expires_at=ends_at)
    uses = homeserver.token_uses(mirror.code)
    is_unsure = unsure_before is not None and unsure_before > now()
    _note(mirror, ends_at=ends_at, unsure_until=unsure_before if is_unsure else None)
    _count(mirror, uses)
    return uses or TokenUses(pending=0, completed=0)


def _count(mirror: Mirror, uses: TokenUses | None) -> None:
    """Count what is new. Where the homeserver knows nothing (any more), what was counted stays counted here."""
    completed = uses.completed if uses else 0
    new = max(0, completed - mirror.counted)
    with transaction.atomic():
        mine = Mirror.objects.filter(id=mirror.pk, counted=mirror.counted)
        is_first = mine.update(counted=completed, used_there=F("used_there") + new) == 1
        if is_first and new and mirror.invite_id is not None:
            Invite.objects.filter(id=mirror.invite_id).update(used=F("used") + new)
            record(Verb.INVITE_USED_THERE, actor=Actor.job(), subject=("invite", mirror.invite_id), count=new)
    mirror.refresh_from_db(fields=["counted"])
    _note(mirror, pending=uses.pending if uses else 0, checked_at=now())
    if new and mirror.invite is not None:
        mirror.invite.refresh_from_db()


@contextmanager
def _lease(code: str) -> Iterator[Mirror]:
    """Be the only one who talks to the homeserver about this code.

    Raises:
        InviteBusy: somebody else has been for as long as the homeserver may take.
        Mirror.DoesNotExist: nothing of it is or shall be there.
    """
    timeout = current().homeserver.timeout
    mine, patience = secrets.token_hex(16), time.monotonic() + timeout.total_seconds()
    row = Mirror.objects.filter(code=code)
    while not row.filter(Q(leased_until=None) | Q(leased_until__lte=now())).update(
        lease=mine, leased_until=now() + 3 * timeout + timedelta(seconds=5)
    ):
        if not row.exists():
            raise Mirror.DoesNotExist
        if time.monotonic() > patience:
            raise InviteBusy
        time.sleep(LOOK_AGAIN_SECONDS)
    try:
        # So that the lease outlives everything that is asked under it.
        with current_homeserver().within(3 * timeout.total_seconds()):
            yield Mirror.objects.select_related("invite").get(code=code)
    finally:
        row.filter(lease=mine).update(lease="", leased_until=None)
