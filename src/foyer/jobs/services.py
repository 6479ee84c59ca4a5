"""Owing a deed, taking it, finishing it, failing it."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.jobs.models import Job, Schedule
from foyer.jobs.registry import BACKOFF_FIRST, Handler, Lane, find, scheduled
from foyer.jobs.statements import ADD, CROSS_OFF, LET_GO, NEXT, OWE_AGAIN, TAKE
from foyer.kit.actor import Actor
from foyer.kit.clock import now

LEASE = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
"""Nothing is owed for later than this, whatever a server asks for: what is, was written by a clock that ran ahead."""
log = structlog.get_logger(__name__)


def enqueue(kind: str, *, subject: str, delay: timedelta = timedelta(0)) -> None:
    """Owe the deed `kind` to `subject` from now (or after `delay`) on.

    Call inside the transaction whose outcome makes it due. Owing the same twice owes it once, at the earlier time.
    The delay is at most `LONGEST_WAIT`; what shall happen later is found by the schedule.
    """
    handler = find(kind)
    if handler is None:
        raise LookupError(f"no room registered a handler for {kind}")
    due = now() + delay
    job = Job(lane=handler.lane, kind=kind, subject=subject, next_attempt_at=due)
    # Crossed off by somebody between the two statements, it is owed anew.
    while not (ADD(job) or OWE_AGAIN.run(due, due, kind, subject)):
        pass


def subjects_owed(kind: str) -> set[str]:
    """Return to whom this deed is owed already."""
    return set(Job.objects.filter(kind=kind, gave_up_at=None).values_list("subject", flat=True))


def take(lane: Lane) -> Job | None:
    """Lease the job of this lane that has been due longest, or return None."""
    moment = now()
    if NEXT.first(lane, moment, moment) is None:  # outside a transaction: an idle worker never passes the write gate
        return None
    with transaction.atomic():
        return _take(lane)


def _take(lane: Lane) -> Job | None:
    lease, moment = secrets.token_hex(16), now()
    return TAKE.first(lease, moment + LEASE, lane, moment, moment, then=(lease,))


def _held(job: Job) -> QuerySet[Job]:
    """Return the row of a job as long as it is this worker's: under its lease, or owed anew while it was done."""
    return Job.objects.filter(id=job.id, lease__in=[job.lease, ""]).exclude(leased_until=None)


def renew(jobs: Iterable[Job]) -> None:
    """Keep the leases of jobs that are still being done."""
    for job in jobs:
        _held(job).update(leased_until=now() + LEASE)


def finish(job: Job, *, note: Callable[[], object] | None = None, then_take: Lane | None = None) -> Job | None:
    """Cross the deed off. One that was owed anew while it was done may be taken at once.

    `note` notes what came of it, in the same transaction. So is the next job of `then_take` leased, and returned.
    """
    with transaction.atomic():
        if note is not None:
            note()
        if not CROSS_OFF.run(job.id, job.lease):
            LET_GO.run(job.id)
        return None if then_take is None else _take(then_take)


def fail(job: Job, error: Exception, *, lasting: bool, handler: Handler | None) -> None:
    """Put the job back with a wait, or give it up where no wait would help. Nothing is ever dropped silently.

    One that was owed anew while it was done is never given up: what it failed for may have changed.
    """
    moment = now()
    reason = str(getattr(error, "code", "") or type(error).__name__)
    too_old = (
        handler is not None and handler.give_up_after is not None and moment - job.created_at > handler.give_up_after
    )
    changes: dict[str, object] = {"leased_until": None, "lease": "", "last_error": reason[:200]}
    gave_up = False
    with transaction.atomic():
        if lasting or too_old:
            under_its_lease = Job.objects.filter(id=job.id, lease=job.lease)
            gave_up = bool(under_its_lease.update(**changes, gave_up_at=moment))
        if gave_up:
            record(Verb.JOB_GAVE_UP, actor=Actor.job(), subject=("job", job.id), kind=job.kind, reason=reason)
        else:
            _held(job).update(**changes, next_attempt_at=moment + _wait(job, error, handler))
    tell = log.warning if gave_up else log.info
    tell("job given up" if gave_up else "job put back", kind=job.kind, job=job.id, reason=reason)


def _wait(job: Job, error: Exception, handler: Handler | None) -> timedelta:
    longest = handler.longest_wait if handler else timedelta(minutes=10)
    wait = min(BACKOFF_FIRST * 2 ** min(job.attempts - 1, 16), longest)
    asked = getattr(error, "retry_after", None)
    if asked:
        wait = max(wait, min(timedelta(seconds=float(asked)), LONGEST_WAIT))
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - not a secret
    return timedelta(seconds=wait.total_seconds() * jitter)


def release(jobs: Iterable[Job]) -> None:
    """Give leased jobs back untouched, because this worker stops."""
    for job in jobs:
        _held(job).update(leased_until=None, lease="", attempts=F("attempts") - 1)


def try_again(job_id: int, *, actor: Actor) -> bool:
    """Take up a job that was given up; False where there is none, or the same deed is already owed again."""
    with transaction.atomic():
        job = Job.objects.filter(id=job_id).exclude(gave_up_at=None).first()
        if job is None or Job.objects.filter(kind=job.kind, subject=job.subject, gave_up_at=None).exists():
            return False
        moment = now()
        Job.objects.filter(id=job_id).update(gave_up_at=None, created_at=moment, next_attempt_at=moment, attempts=0)
        record(Verb.JOB_TRIED_AGAIN, actor=actor, subject=("job", job_id), kind=job.kind)
    return True


def mend_times() -> None:
    """Bring back what a clock that ran ahead has put out of reach, once it is right again.

    Cheap where there is nothing to mend, so the worker's keeper calls it at every turn.
    """
    moment = now()
    waiting = Job.objects.filter(gave_up_at=None)
    ahead = waiting.filter(next_attempt_at__gt=moment + LONGEST_WAIT * 1.25)  # a wait has some jitter
    # Whoever does the job now renews the lease by itself; a lease of nobody's ends as it should.
    leased = waiting.filter(leased_until__gt=moment + LEASE * 2)
    if ahead.exists():
        ahead.update(next_attempt_at=moment)
    if leased.exists():
        leased.update(leased_until=moment + LEASE)


def run_schedule() -> None:
    """Owe what the schedule asks for. Any number of workers may call this: each turn is taken once."""
    moment = now()
    due = {row.name: row.next_run_at for row in Schedule.objects.all()}
    for handler in scheduled():
        # A turn that is further away than any turn can be was put there by a clock that ran ahead.
        if handler.every is None or moment < due.get(handler.kind, moment) <= moment + handler.every:
            continue
        with transaction.atomic():
            Schedule.objects.bulk_create([Schedule(name=handler.kind, next_run_at=moment)], ignore_conflicts=True)
            is_due = Q(next_run_at__lte=moment) | Q(next_run_at__gt=moment + handler.every)
            turn = Schedule.objects.filter(is_due, name=handler.kind)
            if turn.update(next_run_at=moment + handler.every):
                enqueue(handler.kind, subject="")
