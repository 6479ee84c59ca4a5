"""Many at once, in threads, over the real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from foyer.applications import decisions, keys, queries, services
from foyer.applications.errors import AlreadyApplied, WrongState
from foyer.applications.models import Application, State
from foyer.applications.services import Verified
from foyer.homeserver.memory import MemoryHomeserver
from foyer.jobs.models import Job
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from tests.applications.acts import ANNA, BERT, PASSWORD, begin, fresh, let_time_pass, mails, submit, verified, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    results: list[Any] = [None] * len(deeds)
    barrier = threading.Barrier(len(deeds))

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = deeds[place]()
        except Refusal as refusal:
            results[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    return results


def test_ten_applicants_who_verify_one_name_at_once_have_one_winner_and_all_keep_their_email(
    homeserver: MemoryHomeserver,
) -> None:
    homeserver.delay = 0.005
    rows = [begin("maria", f"maria@example{number}.net") for number in range(10)]

    results = at_once([partial(services.verify_by_code, row, keys.code(row)) for row in rows])

    assert all(isinstance(result, Verified) for result in results)
    lost = [result.lost_name for result in results if isinstance(result, Verified)]
    assert sorted(lost) == [""] + ["maria"] * 9
    assert Application.objects.filter(state=State.VERIFIED).count() == 10
    winner = Application.objects.get(localpart="maria")
    assert names.holder_of("maria") == winner.holder


def test_ten_rows_of_one_email_that_are_verified_at_once_end_as_one_application(homeserver: MemoryHomeserver) -> None:
    rows = [begin(f"maria{number}", "maria@example.net") for number in range(10)]

    results = at_once([partial(services.verify_by_code, row, keys.code(row)) for row in rows])

    assert [type(result) for result in results].count(Verified) == 1
    assert [type(result) for result in results].count(AlreadyApplied) == 9
    assert Application.objects.filter(state=State.VERIFIED).count() == 1
    winner = Application.objects.get(state=State.VERIFIED)
    assert [name for name in map(names.holder_of, (row.localpart for row in rows)) if name] == [winner.holder]
    assert mails(winner).count("already-applied") == 9


def test_ten_who_choose_one_name_at_once_have_one_winner(homeserver: MemoryHomeserver) -> None:
    rows = [verified(f"maria{number}", f"maria@example{number}.net") for number in range(10)]

    results = at_once([partial(services.choose_name, row, "maria") for row in rows])

    assert results.count("maria") == 1
    assert sum(isinstance(result, names.NameHeld) for result in results) == 9
    losers = [row for row, result in zip(rows, results, strict=True) if result != "maria"]
    assert all(names.holder_of(row.localpart) == row.holder for row in losers)


def test_code_typed_wrongly_by_twenty_at_once_counts_ten_times(homeserver: MemoryHomeserver) -> None:
    row = begin()
    wrong = f"{(int(keys.code(row)) + 1) % 10**6:06d}"

    results = at_once([partial(services.verify_by_code, row, wrong) for _ in range(20)])

    codes = sorted(result.code for result in results if isinstance(result, Refusal))
    assert codes == ["code-spent"] * 10 + ["code-wrong"] * 10


def test_mail_asked_for_by_ten_presses_at_once_is_sent_once(homeserver: MemoryHomeserver) -> None:
    row = begin()
    Application.objects.update(mailed_at=None)

    at_once([partial(services.resend, row) for _ in range(10)])

    assert mails(row) == ["verification", "verification"]


def test_withdrawing_and_approving_at_once_end_as_one_of_the_two(homeserver: MemoryHomeserver) -> None:
    for number in range(10):
        row = waiting(f"maria{number}", f"maria@example{number}.net")

        at_once([partial(_withdraw, row), partial(decisions.approve, row.id, ANNA, at_once=True)])
        let_time_pass(10)

        account = homeserver.accounts[f"maria{number}"]
        if fresh(row).state == State.DONE:
            assert (account.password, account.locked) == (PASSWORD, False)
        else:
            assert fresh(row).state == State.WITHDRAWN
            assert account.locked
            assert account.password != PASSWORD


def _withdraw(row: Application) -> bool:
    services.withdraw(row)
    return True


def test_two_moderators_with_one_selection_decide_each_once(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    ids = [submit(verified(f"maria{n}", f"maria@example{n}.net"), "").id for n in range(30)]

    results = at_once(
        [
            partial(decisions.approve_many, ids, ANNA),
            partial(decisions.deny_many, ids[::-1], BERT),
        ]
    )

    outcomes = [outcome for result in results if isinstance(result, list) for outcome in result]
    assert len(outcomes) == 60
    assert sum(outcome.refusal is None for outcome in outcomes) == 30
    assert all(isinstance(outcome.refusal, WrongState) for outcome in outcomes if outcome.refusal is not None)
    assert Job.objects.filter(kind="applications.effects").count() == 30


def test_a_thousand_are_decided_in_much_less_than_a_minute(homeserver: MemoryHomeserver) -> None:
    Application.objects.bulk_create(
        Application(
            localpart=f"maria{n}",
            email=f"maria@example{n}.net",
            state=State.WAITING,
            nonce=f"{n}",
            key_digest=f"{n}",
            submitted_at="2026-01-01T00:00Z",
        )
        for n in range(1000)
    )
    ids = [row.id for row in queries.queue("waiting", size=1000).rows]
    outcomes = decisions.approve_many(ids, ANNA, "Welcome!")

    assert all(outcome.refusal is None for outcome in outcomes)
    assert Application.objects.filter(state=State.APPROVED).count() == 1000
