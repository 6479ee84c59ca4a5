from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foyer.accounts.models import Account
from foyer.applications import decisions, keys, queries, retention, search, services
from foyer.applications.models import Application, Haystack, State
from foyer.applications.queries import Tab
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.clock import now
from tests.applications.acts import ANNA, PASSWORD, approved, denied, fresh, verified, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def nothing_is_held(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False


def some(count: int) -> list[Application]:
    return [waiting(f"maria{number}", f"maria@example{number}.net") for number in range(count)]


def names_of(page: queries.Page) -> list[str]:
    return [row.localpart for row in page.rows]


def test_queue_shows_the_oldest_first_and_pages_without_loss() -> None:
    made = some(7)
    seen: list[str] = []
    after, pages = "", 0
    while pages == 0 or after:
        page = queries.queue("waiting", after=after, size=3)
        seen += names_of(page)
        after, pages = page.after, pages + 1

    assert (seen, pages) == ([row.localpart for row in made], 3)
    assert names_of(queries.queue("waiting", after="nonsense~x", size=2)) == ["maria0", "maria1"]


def test_page_begins_where_the_last_one_ended_though_rows_before_it_are_decided() -> None:
    made = some(5)
    first = queries.queue("waiting", size=2)
    decisions.approve(made[0].id, ANNA)
    decisions.approve(made[1].id, ANNA)

    assert names_of(queries.queue("waiting", after=first.after, size=2)) == ["maria2", "maria3"]


def test_tabs_have_what_their_names_say() -> None:
    waits, is_asked, yes, no = some(4)
    decisions.ask(is_asked.id, ANNA, "Who told you?")
    approved(yes)
    denied(no)
    flagged = waiting("admin1", "admin@example.org")
    Application.objects.filter(id=flagged.id).update(is_flagged=True)

    def ids(tab: Tab) -> list[int]:
        return [row.id for row in queries.queue(tab).rows]

    assert ids("waiting") == [waits.id, flagged.id]
    assert ids("flagged") == [flagged.id]
    assert ids("asked") == [is_asked.id]
    assert ids("decided") == [no.id, yes.id]
    assert queries.counts() == {"waiting": 2, "flagged": 1, "asked": 1}
    assert names_of(queries.listing(["denied"])) == ["maria3"]
    assert len(queries.listing().rows) == 5


@pytest.mark.parametrize(
    "words", ["violonc", "VIOLON", "ein Stück", "ürgen", "example1", "JÜRGEN", "cellist", "STRASSE", "@example1"]
)
def test_search_finds_a_piece_of_name_email_or_answer(words: str) -> None:
    application = verified("cellist", "somebody@example1.net")
    services.submit(
        application, {"reason": "Ich bin Jürgen und spiele auf dem Violoncello ein Stück der Straße."}, [], PASSWORD
    )
    waiting("erika", "erika@example.org")

    assert [row.id for row in queries.queue("waiting", words=words).rows] == [application.id]
    assert [row.id for row in queries.listing(words=words).rows] == [application.id]
    denied(application)
    assert [row.id for row in queries.queue("decided", words=words).rows] == [application.id]


@pytest.mark.parametrize(
    "words", ['"', "' OR 1=1 --", "100%", "a_b", "NOT cello", "cello*", "\0", "(", "\\", "%", "ab"]
)
def test_search_takes_every_word_for_a_word(words: str) -> None:
    denied(waiting())

    for tab in queries.TABS:
        assert queries.queue(tab, words=words).rows == [] or words == "\0"
    assert queries.listing(words=words).rows == [] or words == "\0"


def test_search_among_the_decided_is_not_crowded_out_by_those_that_wait() -> None:
    first = denied(waiting("cellist", "cellist@example.org"))
    crowd = Application.objects.bulk_create(
        Application(
            localpart=f"cello{n}",
            email=f"cello{n}@example.net",
            state=State.WAITING,
            submitted_at=now(),
            nonce=f"{n}",
            key_digest=f"{n}",
        )
        for n in range(2 * search.MOST)
    )
    Haystack.objects.bulk_create(Haystack(application_id=row.id, text=row.localpart) for row in crowd)

    assert [row.id for row in queries.queue("decided", words="cello", seconds=60).rows] == [first.id]


def test_listing_shows_the_newest_first_and_pages_without_loss() -> None:
    made = some(5)
    first = queries.listing(size=3)
    second = queries.listing(after=first.after, size=3)

    assert [*names_of(first), *names_of(second)] == [row.localpart for row in reversed(made)]
    assert second.after == ""


def test_search_with_a_whole_short_name_finds_it() -> None:
    denied(waiting("bo", "bo@example.net"))

    assert names_of(queries.queue("decided", words="Bo")) == ["bo"]


def test_search_finds_what_it_says_now_and_nothing_that_was_erased() -> None:
    application = waiting()
    services.correct_email(application, "maria@example.org")
    services.verify_by_code(fresh(application), keys.code(fresh(application)))
    assert queries.listing(words="example.net").rows == []
    assert [row.id for row in queries.listing(words="maria@example.org").rows] == [application.id]

    services.withdraw(application)

    assert queries.listing(words="maria").rows == []


def test_look_alikes_are_found_by_name_mailbox_and_subnet() -> None:
    one = waiting("maria1", "maria+one@example.net", ip="2001:db8::1")
    denied(one)
    two = waiting("marial", "Maria@Example.net", ip="192.0.2.7")
    denied(two)
    three = waiting("erika", "erika@example.net", ip="2001:db8::2")
    four = waiting("m.aria-1", "maria@example.net", ip="198.51.100.1")

    found = queries.look_alikes(four)

    assert [row.id for row in found.by_name] == [two.id, one.id]
    assert [row.id for row in found.by_email] == [two.id, one.id]
    assert found.by_subnet == []
    assert [row.id for row in queries.look_alikes(three).by_subnet] == [one.id]


def test_typical_wait_is_the_median_of_recent_decisions_where_there_are_enough() -> None:
    made = some(5)
    for hours, row in enumerate(made, start=1):
        assert queries.typical_wait() is None
        with time_machine.travel(now() + timedelta(hours=hours)):
            decisions.approve(row.id, ANNA)

    wait = queries.typical_wait()
    assert wait is not None
    assert timedelta(hours=2, minutes=59) < wait < timedelta(hours=3, minutes=1)


def test_history_tells_the_story_of_the_application_and_its_account(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = True
    application = approved(waiting())

    verbs = [event.verb for event in queries.history(application)]

    assert verbs == [
        "application.started",
        "application.code-sent",
        "application.verified",
        "account.creating",
        "account.held",
        "application.submitted",
        "application.approved",
        "application.effects-started",
        "account.opened",
        "application.done",
        "account.email-attached",
        "account.room-joined",
    ]


def test_history_of_a_denied_application_ends_before_another_gets_its_account(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = True
    first = denied(waiting())
    second = approved(waiting(email="other.maria@example.net"))
    assert second.account_id == first.account_id

    assert [event.verb for event in queries.history(first)][-2:] == [
        "application.denied",
        "application.effects-started",
    ]
    assert [event.verb for event in queries.history(second)][-2:] == ["account.email-attached", "account.room-joined"]


def test_what_is_deleted_of_a_denied_application_leaves_the_next_ones_account_alone(
    homeserver: MemoryHomeserver,
) -> None:
    homeserver.has_token = True
    first = denied(waiting())
    long_ago = now() - timedelta(days=400)
    Application.objects.filter(id=first.id).update(ended_at=long_ago)
    second = approved(waiting(email="other.maria@example.net"))
    assert second.account_id == first.account_id

    assert retention.run()["deleted"] == 1

    assert Account.objects.get(localpart="maria").email == "other.maria@example.net"


@pytest.mark.parametrize("tab", queries.TABS)
def test_queue_asks_as_much_for_thirty_rows_as_for_one(tab: Tab) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            queries.queue(tab)
        return len(context)

    waiting("erika", "erika@example.org")
    one = count()
    some(30)

    assert count() == one == 1


def test_queue_of_waiting_uses_its_partial_index() -> None:
    some(1)
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a table of one row, and rightly")
    plan = Application.objects.filter(state=State.WAITING).order_by("submitted_at", "id")[:50].explain()

    assert "applications_waiting" in plan
