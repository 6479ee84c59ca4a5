"""Writing to the audit."""

from __future__ import annotations

from typing import Any

from foyer.audit.models import Event
from foyer.audit.verbs import Verb
from foyer.config.prepared import Insert
from foyer.kit.actor import Actor

_insert = Insert(Event)


def record(verb: Verb, *, actor: Actor, subject: tuple[str, int | str], **facts: Any) -> None:
    """Keep that `actor` did `verb` to `subject` (kind and id).

    Call inside the transaction that does the deed, so that both stand or neither. `facts` are codes, ids
    and numbers, never text that a person wrote, never a secret.
    """
    kind, identifier = subject
    _insert.values(verb=str(verb), actor=str(actor), subject_kind=kind, subject_id=str(identifier), facts=facts)
