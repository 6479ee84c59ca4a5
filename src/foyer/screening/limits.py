"""Counting attempts, and refusing those that are too many.

    limits.check("join", request.client)   # counts; raises TooMany

Doors call it outside of any transaction, before they do anything else. An attempt that is refused counts nowhere, so
knocking on while one waits does not make the wait longer.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.strategies import SlidingWindowCounterRateLimiter

from foyer import config as configuration
from foyer.config import current
from foyer.config.values import Rate
from foyer.kit.client_ip import ClientAddress
from foyer.kit.codes import keyed_digest
from foyer.screening.counters import SWEEP_AT_ONCE, Counters, seconds_until_free
from foyer.screening.errors import TooMany, TooManyOverall
from foyer.screening.postgres_counters import PostgresCounters
from foyer.screening.rules import RuleName, rule
from foyer.screening.sqlite_counters import SQLiteCounters, path_beside

SWEEP_EVERY_SECONDS = 60.0
REST_SECONDS = 2.0
COMPLAIN_EVERY_SECONDS = 60.0
KEY_LENGTH = 32
log = structlog.get_logger(__name__)


def check(name: RuleName, client: ClientAddress) -> None:
    """Count one attempt of this client.

    Raises:
        TooMany: one of its limits, or one of the door's own, is reached; nothing was counted.
    """
    if not current().screening.limits:
        return
    with _forgiving() as counters:
        if counters is None:
            return
        buckets = list(dict.fromkeys(_buckets(name, client)))
        reached = counters.hit_all([(item.key_for(key), item.amount, item.get_expiry()) for item, key, _ in buckets])
        if reached is not None:
            item, key, refusal = buckets[reached]
            raise refusal(retry_after=_wait(counters, item, key))


def require(name: RuleName, client: ClientAddress) -> None:
    """Look whether this client, or (where it is not known) everybody, has attempts left, without counting one.

    Raises:
        TooMany: none is left.
    """
    if not current().screening.limits:
        return
    with _forgiving() as counters:
        if counters is None:
            return
        for item, key, refusal in _buckets(name, client):
            if client.is_known and refusal is TooManyOverall:
                continue
            wait = _wait(counters, item, key)
            if wait > 0:
                raise refusal(retry_after=wait)


def take_try(name: RuleName, subject: str) -> bool:
    """Count a try at a secret by what it protects, whoever tries: guesses come from many places. False: none is left.

    Take it before it is known whether the guess is right, else many at once would all be the last. It counts also
    where the owner has switched the limits off: those are for comfort, this is not.
    """
    is_left = True
    with _forgiving() as counters:
        if counters is not None:
            limiter = SlidingWindowCounterRateLimiter(counters)
            key = _key(name, subject)
            is_left = all(limiter.hit(_item(rate), key) for rate in rule(name).per_client)
    return is_left


def give_back_try(name: RuleName, subject: str) -> None:
    """Take one back that was no guess: the secret was right, or nobody could say."""
    with _forgiving() as counters:
        if counters is not None:
            for rate in rule(name).per_client:
                item = _item(rate)
                counters.acquire_sliding_window_entry(
                    item.key_for(_key(name, subject)), item.amount, item.get_expiry(), amount=-1
                )


def reset() -> None:
    """Forget every count. For tests, and for an owner who is in a hurry."""
    storage().reset()


def _buckets(name: RuleName, client: ClientAddress) -> Iterator[tuple[RateLimitItem, str, type[TooMany]]]:
    """Yield what an attempt counts for, the client's own first: what it is refused takes nothing from the others."""
    wanted = rule(name)
    if client.is_known:
        key = _key(name, client.subnet)
        for rate in wanted.per_client:
            yield _item(rate), key, TooMany
    key = _key_of_door(name)
    for rate in wanted.overall:
        yield _item(rate), key, TooManyOverall


def _wait(counters: Counters, item: RateLimitItem, key: str) -> float:
    expiry = item.get_expiry()
    return seconds_until_free(counters.get_sliding_window(item.key_for(key), expiry), item.amount, expiry)


@functools.lru_cache(maxsize=64)
def _item(rate: Rate) -> RateLimitItem:
    return RateLimitItemPerSecond(rate.count, rate.seconds, namespace="")


@functools.lru_cache(maxsize=64)
def _key_of_door(name: RuleName) -> str:
    return _key(name, "")


def _key(name: RuleName, subject: str) -> str:
    return keyed_digest(settings.SECRET_KEY, f"limits:{name}", subject)[:KEY_LENGTH]


@dataclass
class _State:
    """What this process remembers of the storage."""

    storage: Counters | None = None
    resting_until: float = 0.0
    complained_at: float = float("-inf")
    swept_at: float = float("-inf")


_state = _State()
_lock = threading.Lock()


def storage() -> Counters:
    """Return this process's storage, made on the first call."""
    with _lock:
        if _state.storage is None:
            _state.storage = _make()
        return _state.storage


def use(counters: Counters) -> None:
    """Count there from now on, until the configuration changes. For tests."""
    global _state
    with _lock:
        _state = _State(storage=counters)


def _make() -> Counters:
    if connection.vendor == "sqlite":
        return SQLiteCounters(path_beside(Path(connection.settings_dict["NAME"])))
    return PostgresCounters()


@contextmanager
def _forgiving() -> Iterator[Counters | None]:
    """Give the storage; None while it rests. What breaks in it is logged, and the attempt let through."""
    if time.monotonic() < _state.resting_until:
        yield None
        return
    counters = storage()
    try:
        yield counters
        _sweep_at_times(counters)
    except counters.base_exceptions as error:
        # Waiting for a storage that hangs would slow every request down: the next ones do without.
        _state.resting_until = time.monotonic() + REST_SECONDS
        _complain(error)


def _complain(error: Exception) -> None:
    if time.monotonic() - _state.complained_at > COMPLAIN_EVERY_SECONDS:
        _state.complained_at = time.monotonic()
        log.error("limits cannot be counted, so everybody is let through", reason=f"{type(error).__name__}: {error}")


def _sweep_at_times(counters: Counters) -> None:
    moment = time.monotonic()
    if moment - _state.swept_at > SWEEP_EVERY_SECONDS:
        is_done = counters.sweep() < SWEEP_AT_ONCE
        _state.swept_at = moment if is_done else float("-inf")


@configuration.on_change
def forget() -> None:
    """Close the storage; the next check opens that of the configuration then current."""
    global _state
    with _lock:
        left, _state = _state.storage, _State()
        _key_of_door.cache_clear()
    if left is not None:
        left.close()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    if _state.storage is not None:
        _state.storage.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)
