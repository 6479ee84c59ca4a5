"""The one way in which an application's row changes its state.

Whoever touches an application, an account and a name in one transaction does so in this order, each time: an
application's row guards its claims, and the other order deadlocks on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from foyer.applications.errors import AlreadyDecided, ApplicationUnknown, WrongState
from foyer.applications.models import Application, State
from foyer.applications.statements import BY_ID, LARGEST_ID, LOCK
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.kit.actor import Actor


def move(
    application_id: int,
    sources: Iterable[State],
    target: State,
    *,
    verb: Verb,
    actor: Actor,
    facts: dict[str, Any] | None = None,
    only: dict[str, Any] | None = None,
    **changes: Any,
) -> Application:
    """Move one application, if it stands where it may come from, and note that in the audit.

    Call inside the transaction that does everything else that belongs to the move. `only`: more conditions on the row.

    Raises:
        WrongState: it stands elsewhere.
        ApplicationUnknown
    """
    mine = Application.objects.filter(id=application_id, state__in=list(sources), **(only or {}))
    if not mine.update(state=target, **changes):
        raise wrong_state(application_id)
    record(verb, actor=actor, subject=("application", application_id), **(facts or {}))
    return Application.objects.get(id=application_id)


def wrong_state(application_id: int) -> WrongState:
    """Return the refusal that says where the application stands, and who decided.

    Raises:
        ApplicationUnknown
    """
    row = BY_ID.first(application_id) if application_id <= LARGEST_ID else None
    if row is None:
        raise ApplicationUnknown
    if not row.decided_by:
        return WrongState(state=row.state)
    return AlreadyDecided(
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        who=who(row.decided_by),
        when=row.decided_at,
    )


def who(actor: str) -> str:
    """Return an actor as people call them: `anna` for `staff:anna`."""
    return actor.partition(":")[2] or actor


def lock(application_id: int) -> Application:
    """Return the row, which nobody else changes until the transaction ends.

    Raises:
        ApplicationUnknown
    """
    row = LOCK.first(application_id)
    if row is None:
        raise ApplicationUnknown
    return row
