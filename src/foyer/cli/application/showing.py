"""An application in words, and as JSON."""

from __future__ import annotations

from typing import Any

from foyer.applications import flags, queries
from foyer.applications.errors import AlreadyDecided, ApplicationUnknown, WrongState
from foyer.applications.models import Application, Decision, State
from foyer.audit.models import Event
from foyer.cli.application.values import unknown
from foyer.cli.local_time import iso, shown
from foyer.config import current
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.notify import queries as deliveries
from foyer.notify.models import Delivery

WITHOUT_A_NAME = "(no name)"
DECIDED = {Decision.APPROVE.value: "approved", Decision.DENY.value: "denied"}
KINDS_OF_ACTORS = {
    "command-line": "the command line",
    "job": "Foyer itself",
    "person": "the applicant",
    "applicant": "the applicant",
    "key": "the API key",
}


def who(actor: str) -> str:
    """Return an actor as people call them: `anna` for `staff:anna`, "the command line" for `command-line`."""
    kind, _colon, name = actor.partition(":")
    known = KINDS_OF_ACTORS.get(kind, "")
    return " ".join(part for part in (known, name) if part) or actor


def title(row: Application) -> str:
    """Return number and name, such as `17 (maria)`."""
    return f"{row.id} {f'({row.localpart})' if row.localpart else WITHOUT_A_NAME}"


def refusal(number: int, why: Refusal) -> str:
    """Return in one sentence why an application was not moved; where a moderator was first, who and when."""
    if isinstance(why, ApplicationUnknown):
        return unknown(number)
    if isinstance(why, AlreadyDecided):
        decision = "denied" if why.state == State.DENIED else "approved"
        return f"Application {number} was {decision} by {who(why.decided_by)} on {shown(why.decided_at)}."
    if isinstance(why, WrongState):
        return f"Application {number} is {why.state}, so this cannot be done to it now."
    return f"Application {number}: {why}"


def as_json(row: Application) -> dict[str, Any]:
    """Return every fact for programs; times are UTC."""
    return {
        "id": row.id,
        "state": row.state,
        "name": row.localpart,
        "matrix_id": mxid(row.localpart, current().server_name) if row.localpart else None,
        "email": row.email,
        "email_verified_at": iso(row.email_verified_at),
        "email_refused_at": iso(row.mail_refused_at),
        "language": row.language,
        "ip": row.ip,
        "answers": row.answers,
        "legal": row.legal,
        "flags": row.flags,
        "password": row.password_way,
        "created_at": iso(row.created_at),
        "submitted_at": iso(row.submitted_at),
        "decision": row.decision or None,
        "decided_at": iso(row.decided_at),
        "decided_by": row.decided_by or None,
        "message": row.message,
        "reason": row.reason,
        "silent": row.is_silent,
        "effects_at": iso(row.effects_at),
        "ended_at": iso(row.ended_at),
    }


def as_json_whole(row: Application) -> dict[str, Any]:
    """Return the facts, and all that belongs to it."""
    alike = queries.look_alikes(row)
    return {
        **as_json(row),
        "look_alikes": {
            "by_name": [one.id for one in alike.by_name],
            "by_email": [one.id for one in alike.by_email],
            "by_subnet": [one.id for one in alike.by_subnet],
        },
        "conversation": [{"by": it.by, "text": it.text, "at": iso(it.at)} for it in queries.conversation(row)],
        "notes": [{"by": it.by, "text": it.text, "at": iso(it.at)} for it in queries.notes(row)],
        "mails": [_delivery(it) for it in deliveries.about(row.holder)],
        "history": [
            {"verb": it.verb, "by": it.actor, "at": iso(it.at), "facts": it.facts} for it in queries.history(row)
        ],
    }


def _delivery(it: Delivery) -> dict[str, Any]:
    return {
        "kind": it.kind,
        "channel": it.channel,
        "to": it.recipient_shown,
        "state": it.state,
        "attempts": it.attempts,
        "last_error": it.last_error,
        "owed_at": iso(it.owed_at),
        "finished_at": iso(it.finished_at),
    }


def facts(row: Application) -> list[tuple[str, str]]:
    """Return names and values for people."""
    decided = f"{DECIDED[row.decision]} by {who(row.decided_by)} on {shown(row.decided_at)}" if row.decision else ""
    return [
        ("Application", str(row.id)),
        ("State", row.state),
        ("Name", row.localpart or WITHOUT_A_NAME),
        ("Email", _email(row)),
        ("IP", row.ip or ""),
        ("Begun", shown(row.created_at)),
        ("Sent", shown(row.submitted_at)),
        ("Noticed", "; ".join(flags.phrase(flag) for flag in row.flags)),
        ("Accepted", ", ".join(str(text["title"]) for text in row.legal)),
        ("Decision", decided),
        ("Message", row.message),
        ("Reason", row.reason),
        ("Mail", "none was to be sent" if row.is_silent else ""),
        ("Ended", shown(row.ended_at)),
    ]


def _email(row: Application) -> str:
    if not row.email:
        return ""
    verified = "verified" if row.email_verified_at else "not verified"
    return f"{row.email} ({verified}{', takes no mail' if row.mail_refused_at else ''})"


def story(row: Application) -> list[tuple[str, list[str]]]:
    """Return the parts of a request that people read below the facts: a heading, and its lines."""
    alike = queries.look_alikes(row)
    same = [
        ("a name like it", alike.by_name),
        ("the same mailbox", alike.by_email),
        ("the same network", alike.by_subnet),
    ]
    answers = [(str(it["text"]), str(it["answer"]) or "(nothing)") for it in row.answers]
    return [
        *((question, answer.splitlines()) for question, answer in answers),
        ("Similar", [f"{what}: {', '.join(map(_short, rows))}" for what, rows in same if rows]),
        ("Conversation", [_said(it.by, it.text, shown(it.at)) for it in queries.conversation(row)]),
        ("Notes", [_said(it.by, it.text, shown(it.at)) for it in queries.notes(row)]),
        ("History", [_event(it) for it in queries.history(row)]),
    ]


def _short(row: Application) -> str:
    return f"{title(row)} {row.state}"


def _said(by: str, text: str, at: str) -> str:
    return f"{at}  {who(by)}: {text}"


def _event(it: Event) -> str:
    return f"{shown(it.at)}  {it.verb}  {who(it.actor)}"
