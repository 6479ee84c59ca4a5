"""What applicants, moderators and workers do, in one word each."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.db import connection

from foyer.accounts import holding, settling
from foyer.accounts.models import Account
from foyer.applications import decisions, effects, keys, queries, services
from foyer.applications.models import Application, State
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.messages import Message
from foyer.notify.models import Delivery
from foyer.notify.registry import renderer_of

PASSWORD = "correct horse battery"
OTHER = "a completely different one"
ANNA, BERT = Actor.staff("anna"), Actor.staff("bert")
ANSWERS = {"reason": "I am Maria, I play the cello, and Erika told me about this server."}


def fresh(application: Application) -> Application:
    return Application.objects.get(id=application.id)


def begin(name: str = "maria", email: str = "maria@example.net", **more: str) -> Application:
    """Start, and return the row."""
    return queries.by_key(services.start(name, email, **more).key)


def verified(name: str = "maria", email: str = "maria@example.net", **more: str) -> Application:
    application = begin(name, email, **more)
    services.verify_by_code(application, keys.code(application))
    return fresh(application)


def submit(application: Application, password: str = PASSWORD, **more: float) -> Application:
    services.submit(application, ANSWERS, [], password, password, **more)  # type: ignore[arg-type]
    return fresh(application)


def waiting(
    name: str = "maria", email: str = "maria@example.net", password: str = PASSWORD, **more: str
) -> Application:
    return submit(verified(name, email, **more), password)


def approved(application: Application) -> Application:
    decisions.approve(application.id, ANNA, at_once=True)
    let_time_pass(0)
    return fresh(application)


def denied(application: Application) -> Application:
    decisions.deny(application.id, ANNA, at_once=True)
    let_time_pass(0)
    return fresh(application)


def let_time_pass(seconds: float = 60, *, every: int = 5) -> None:
    """Do what is owed, as a worker would in this time; mails stay owed."""
    moment = now()
    for second in range(0, int(seconds) + 1, every):
        with time_machine.travel(moment + timedelta(seconds=second)):
            settling.sweep()
            holding.sweep()
            worker = Worker()
            worker.run_until_idle("house")
            worker.run_until_idle("homeserver")
            effects.sweep()


def mails(application: Application) -> list[str]:
    """Return the kinds of what was owed about an application, the oldest first."""
    rows = Delivery.objects.filter(subject=application.holder).order_by("id")
    return [row.kind.removeprefix("applications.") for row in rows]


def mail(application: Application, kind: str) -> Message | None:
    """Return the newest mail of this kind, as it would be sent now."""
    kind = f"applications.{kind}"
    row = Delivery.objects.filter(subject=application.holder, kind=kind).latest("id")
    return renderer_of(kind)(row.whole_subject, row.recipient)


def accounts() -> dict[str, str]:
    """Return name → state of every account that is not refused."""
    rows = Account.objects.exclude(state="refused")
    return dict(rows.values_list("localpart", "state"))


def everything_in_tables() -> str:
    """Return every value of every table."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found.append(repr(cursor.fetchall()))
    return "\n".join(found)


def owed_jobs() -> set[str]:
    return set(Job.objects.exclude(kind__startswith="notify").values_list("kind", flat=True))


def in_state(application: Application, state: State) -> bool:
    return fresh(application).state == state
