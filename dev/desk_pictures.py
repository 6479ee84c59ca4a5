"""What the pictures of applications and of the desk show: a house that has seen some days, and somebody signed in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

STAFF_PASSWORD = "lantern orchard willow"
QUESTION = "Who are you, why do you want to join here, and who told you about this server?"
CONFIGURATION: dict[str, Any] = {
    "email": {"host": "mail.example.org", "from": "join@example.org"},
    "moderators": {"emails": ["team@example.org"]},
    "application": {
        "questions": [
            {"id": "reason", "text": QUESTION, "min_length": 30},
            {"id": "from", "text": "Where did you hear of us?", "kind": "choice", "required": False,
             "choices": ["From a friend", "At the market", "On the web"]},
        ],
    },
}  # fmt: skip
PEOPLE = (
    ("lena", "lena@posteo.example", "I grow tomatoes on a balcony and would love to swap seedlings. Anna told me."),
    ("otto.k", "otto.kramer@example.net", "I repair bicycles and would like to join the Saturday workshop group."),
    (
        "4nna",
        "anna.again@mailinator.com",
        "hello i want account for my project please approve fast, thank you",
    ),
    ("yusuf", "yusuf@example.com", "I moved here in May. Rosa from the library said that this is where people meet."),
    ("marlene", "marlene@example.org", "I play the cello, and the orchestra plans its evenings on your server."),
)
YES, NO = {"state": "done", "decision": "approve"}, {"state": "denied", "decision": "deny"}


@dataclass(frozen=True)
class Furnished:
    """Where the pictures are taken: keys of applicants, numbers of requests, and the cookie of an admin."""

    to_verify: str
    to_answer: str
    waiting: str
    flagged: int
    plain: int
    invitation: int
    cookie: dict[str, str]


def furnish() -> Furnished:
    """Make it. Django is set up, and a homeserver in memory stands in for the real one."""
    from django.conf import settings

    from foyer.applications import decisions, keys, queries, services
    from foyer.applications.models import Application
    from foyer.invites import services as invites
    from foyer.invites.services import NewInvite
    from foyer.kit.actor import Actor
    from foyer.kit.clock import now
    from foyer.screening import services as rules
    from foyer.screening.models import About, Effect
    from foyer.screening.services import NewRule
    from foyer.staff import services as staff

    anna = staff.create("anna", "admin", password=STAFF_PASSWORD, actor=Actor.command_line())
    by = Actor.staff("anna")
    rules.make(NewRule(About.NAME, Effect.REFUSE, ".*(admin|support).*", "Names of the house"), actor=by)
    rules.make(NewRule(About.DOMAIN, Effect.HOLD, "disposable", "Ask where they know us from"), actor=by)
    rules.make(NewRule(About.NETWORK, Effect.FLAG, "192.0.2.0/24", "The wave in March", now() + timedelta(days=20)),
               actor=by)  # fmt: skip

    def begin(name: str, email: str) -> Application:
        return queries.by_key(services.start(name, email, ip="203.0.113.7").key)

    def verified(name: str, email: str) -> Application:
        row = begin(name, email)
        services.verify_by_code(row, keys.code(row))
        return queries.by_id(row.pk)

    _past(now())
    rows = []
    for number, (name, email, reason) in enumerate(PEOPLE):
        row = verified(name, email)
        services.submit(row, {"reason": reason, "from": "From a friend"}, ["https://example.org/rules"],
                        "quarzlampe nebel ufer", ip="203.0.113.7")  # fmt: skip
        since = now() - timedelta(hours=40 - 9 * number)
        Application.objects.filter(id=row.pk).update(submitted_at=since, created_at=since, subnet=f"203.0.113.{number}")
        rows.append(queries.by_id(row.pk))
    decisions.note(rows[0].pk, by, "Rosa knows her from the garden days.")
    ends = now() + timedelta(days=5)
    invites.create(NewInvite(label="For the choir", uses_limit=12, expires_at=ends), actor=by)
    invites.create(NewInvite(label="Garden day in June", uses_limit=None, expires_at=ends), actor=by)
    made = invites.create(NewInvite(label="Otto's sister", expires_at=ends, message="Come in!"), actor=by)
    return Furnished(
        to_verify=keys.status_key(begin("rosa.m", "rosa@example.net")),
        to_answer=keys.status_key(verified("emil", "emil@example.net")),
        waiting=keys.status_key(rows[4]),
        flagged=rows[2].pk,
        plain=rows[0].pk,
        invitation=made.pk,
        cookie={"name": settings.SESSION_COOKIE_NAME, "value": _session(anna)},
    )


def _past(moment: Any) -> None:
    """Some weeks of sign-ups and decisions, for the chart and the typical wait."""
    from foyer.applications.models import Application
    from foyer.audit.models import Event
    from foyer.audit.verbs import Verb

    number = 0
    for day in range(1, 30):
        at = moment - timedelta(days=day)
        for _ in range((day * 7) % 5 + (2 if day % 7 < 2 else 0)):
            number += 1
            subject = str(1000 + number)
            common = {"at": at, "actor": "job", "subject_id": subject}
            Event.objects.create(**common, verb=Verb.ACCOUNT_OPENED, subject_kind="account")
            if number % 3:
                Event.objects.create(**common, verb=Verb.APPLICATION_DONE, subject_kind="application")
                Application.objects.create(
                    localpart=f"past{number}", email=f"past{number}@example.net", **(YES if number % 5 else NO),
                    submitted_at=at - timedelta(hours=5), decided_at=at, decided_by="staff:bert",
                    nonce=f"p{number}", key_digest=f"p{number}",
                )  # fmt: skip


def _session(member: Any) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from foyer.web.staff.guard import SIGNED_IN_AT

    session = SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session[SIGNED_IN_AT] = int(time.time())
    session.save()
    return str(session.session_key)
