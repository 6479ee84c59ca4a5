"""The worker: threads for each lane, and a keeper that renews leases and runs the schedule."""

from __future__ import annotations

import threading
import time
from collections import Counter

import structlog
from django.db import Error, close_old_connections, connection

from foyer.config.database_errors import is_outage, is_passing, sentence_for
from foyer.jobs import services
from foyer.jobs.models import Job
from foyer.jobs.registry import LANES, Lane, find, rest

THREADS: dict[Lane, int] = {"homeserver": 4, "mail": 2, "house": 1}
IDLE_SECONDS = 0.5
KEEPER_SECONDS = 5.0
AFTER_DATABASE_ERROR_SECONDS = 2.0
COMPLAIN_EVERY_SECONDS = 60.0
# Less than `foyer serve` waits before it ends the worker: what was not finished is given back before that.
FINISH_WITHIN_SECONDS = 15.0
log = structlog.get_logger(__name__)


class Worker:
    """Does jobs until told to stop. `run()` blocks; `stop()` may come from a signal handler."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._held: dict[str, Job] = {}
        self._held_lock = threading.Lock()
        self._outage = Outage()

    def stop(self) -> None:
        """Take no further job; those in hand are finished."""
        self._stopping.set()

    def run(self, *, finish_within_seconds: float = FINISH_WITHIN_SECONDS) -> None:
        """Work until `stop()`; then wait for what is in hand, and give back what takes too long."""
        lanes = [
            threading.Thread(target=self._work, args=(lane,), name=f"{lane}-{number}", daemon=True)
            for lane in LANES
            for number in range(THREADS[lane])
        ]
        keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        for thread in [*lanes, keeper]:
            thread.start()
        while not self._stopping.wait(1.0):
            pass
        deadline = time.monotonic() + finish_within_seconds
        for thread in [*lanes, keeper]:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        with self._held_lock:
            left = list(self._held.values())
        try:
            if left:
                services.release(left)
        except Error as error:
            self._outage.begin(error)  # the leases run out by themselves
        connection.close()

    def run_until_idle(self, lane: Lane | None = None) -> Counter[str]:
        """Do every job that is due, in this thread, and return how many of each kind. For tests and `foyer cleanup`."""
        done: Counter[str] = Counter()
        for chosen in LANES if lane is None else (lane,):
            while (job := services.take(chosen)) is not None:
                self._do(job)
                done[job.kind] += 1
            rest(chosen)
        return done

    def _work(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            close_old_connections()
            try:
                job = services.take(lane)
                if job is None:
                    rest(lane)
                    self._stopping.wait(IDLE_SECONDS)
                    continue
                self._outage.end()
                while job is not None:
                    if self._stopping.is_set():
                        services.release([job])
                        break
                    job = self._hold(job, lane)
                    close_old_connections()
            except Exception as error:  # noqa: BLE001 - the outermost frame of a lane: it goes on, whatever happens
                self._rest(error)
        rest(lane)
        connection.close()

    def _hold(self, job: Job, lane: Lane) -> Job | None:
        """Do it while the keeper renews its lease; return the next one of the lane, where that is leased already."""
        with self._held_lock:
            self._held[job.lease] = job
        try:
            return self._do(job, then_take=lane)
        finally:
            with self._held_lock:
                self._held.pop(job.lease, None)

    def _rest(self, error: Exception) -> None:
        """Wait after a failure that is no job's. A lease runs out by itself: whoever can take the job then does."""
        if isinstance(error, Error):
            self._outage.begin(error)
        else:
            log.error("the worker broke, and goes on", exc_info=error)
        connection.close()
        self._stopping.wait(AFTER_DATABASE_ERROR_SECONDS)

    def _do(self, job: Job, *, then_take: Lane | None = None) -> Job | None:
        handler = find(job.kind)
        if handler is None:
            services.fail(job, LookupError(job.kind), lasting=False, handler=None)
            return None
        try:
            note = handler.deed(job.subject)
        except handler.passing as error:
            services.fail(job, error, lasting=False, handler=handler)
        except handler.lasting as error:
            services.fail(job, error, lasting=True, handler=handler)
        except Exception as error:  # the outermost frame of a job: a fault of ours must not stop the lane
            if not is_passing(error):
                if is_outage(error):
                    raise
                log.exception("job broke", kind=job.kind, job=job.id)  # the subject may be a code
            services.fail(job, error, lasting=False, handler=handler)
        else:
            return services.finish(job, note=note, then_take=None if self._stopping.is_set() else then_take)
        return None

    def _keep(self) -> None:
        while not self._stopping.wait(KEEPER_SECONDS):
            close_old_connections()
            try:
                with self._held_lock:
                    held = list(self._held.values())
                if held:
                    services.renew(held)
                services.mend_times()
                services.run_schedule()
                self._outage.end()
            except Exception as error:  # noqa: BLE001 - the outermost frame: without the keeper no lease is renewed
                self._rest(error)
        connection.close()


class Outage:
    """While the database does not answer, every thread meets it every other second. It is said once a minute."""

    def __init__(self) -> None:
        self._said_at: float | None = None
        self._lock = threading.Lock()

    def begin(self, error: Error) -> None:
        """Say what is wrong, unless that was said a moment ago."""
        with self._lock:
            moment = time.monotonic()
            if self._said_at is not None and moment - self._said_at < COMPLAIN_EVERY_SECONDS:
                return
            self._said_at = moment
        log.error("the database cannot be used, so the worker waits", reason=sentence_for(error))

    def end(self) -> None:
        """Say that it can be used again, if anything was said before. Call after something was written."""
        if self._said_at is None:
            return
        with self._lock:
            said, self._said_at = self._said_at, None
        if said is not None:
            log.info("the database can be used again")
