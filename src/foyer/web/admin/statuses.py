"""The five statuses that the predecessor's users know, and three that it did not have."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.applications.models import State

APPROVED = "approved"
DENIED = "denied"
KNOWN: dict[str, tuple[Promise, tuple[State, ...]]] = {
    "started": (_("Started"), (State.UNVERIFIED, State.VERIFIED)),
    "requested": (_("Requested"), (State.WAITING, State.ASKED)),
    APPROVED: (_("Approved"), (State.APPROVED,)),
    DENIED: (_("Denied"), (State.DENIED,)),
    "completed": (_("Completed"), (State.DONE,)),
}
OURS: dict[str, tuple[Promise, tuple[State, ...]]] = {
    "lapsed": (_("Lapsed"), (State.LAPSED,)),
    "withdrawn": (_("Withdrawn"), (State.WITHDRAWN,)),
    "expired": (_("Expired"), (State.EXPIRED,)),
}
ALL = {**KNOWN, **OURS}
_of_state = {state: status for status, (_label, states) in ALL.items() for state in states}


def status_of(state: str) -> str:
    """Return the status of an application's state."""
    return _of_state[State(state)]


def label_of(state: str) -> Promise:
    """Return what people call the status of a state."""
    return ALL[status_of(state)][0]


def choices_from(state: str) -> list[tuple[str, Promise]]:
    """Return what can be chosen for an application in this state: the five, and the one it has."""
    now = status_of(state)
    return [(status, label) for status, (label, _states) in ALL.items() if status in KNOWN or status == now]
