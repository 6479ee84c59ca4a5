"""The queue: order, tabs, paging, search, and what is decided in bulk."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foyer.applications import days, decisions, search
from foyer.applications.models import Application, Day
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.web.desk.cards import card
from foyer.web.desk.door import Me
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN, MakeRequest, a_request, fresh, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def names(page: str) -> list[str]:
    """Return the names on the page's cards, in order."""
    return re.findall(r'data-open><bdi class="address" dir="ltr">@([^:]+):', page)


def many(count: int, **facts: Any) -> list[Application]:
    """Make requests, the first one the oldest."""
    begin = now() - timedelta(days=2)
    rows = [a_request(f"p{n:04}", submitted_at=begin + timedelta(seconds=n), **facts) for n in range(count)]
    made = Application.objects.bulk_create(rows)
    for row in made[:3]:
        search.index(row)
    return made


def test_oldest_comes_first_and_only_what_belongs_to_the_tab(moderator: Client, make_request: MakeRequest) -> None:
    make_request("young", submitted_at=now() - timedelta(minutes=5))
    make_request("old", submitted_at=now() - timedelta(days=5))
    make_request("odd", flags=[{"code": "subnet-busy", "params": {"count": 4}}])
    make_request("asked", state="asked")
    make_request("over", state="done", decided_at=now(), decided_by="staff:bert", decision="approve")
    make_request("half", state="verified", submitted_at=None)

    def tab(name: str) -> list[str]:
        return names(text_of(moderator.get("/desk/queue", {"tab": name})))

    assert tab("waiting") == ["old", "odd", "young"]
    assert tab("no-such-tab") == ["old", "odd", "young"]
    assert (tab("flagged"), tab("asked"), tab("decided")) == (["odd"], ["asked"], ["over"])


def test_card_shows_what_a_moderator_needs(moderator: Client, make_request: MakeRequest) -> None:
    make_request(
        email="maria+x@example.com",
        answer="I like <script> & birds",
        flags=[{"code": "denied-email", "params": {"on": "2026-05-01"}}],
    )
    page = text_of(moderator.get("/desk/queue"))

    for words in (
        "@maria:example.test", "m•••@example.com", "confirmed", "for 3 hours", "203.0.113.7",
        "this email was denied on 2026-05-01", "I like &lt;script&gt; &amp; birds",
    ):  # fmt: skip
        assert words in page
    assert "maria+x" not in page


def test_paging_shows_everybody_once(moderator: Client) -> None:
    made = many(120)
    seen: list[str] = []
    path = "/desk/queue?tab=waiting"
    for _page in range(4):
        page = text_of(moderator.get(path))
        seen += names(page)
        follows = re.search(r'rel="next" href="\.\./(desk/queue[^"]+)"', page)
        if follows is None:
            break
        path = "/" + follows[1].replace("&amp;", "&")

    assert seen == [row.localpart for row in made]


def test_search_finds_by_name_email_and_answer(moderator: Client, make_request: MakeRequest) -> None:
    make_request("maria", answer="tomatoes")
    make_request("linus", email="pinguin@example.net", answer="kernels & 100%")

    def found(words: str) -> list[str]:
        return names(text_of(moderator.get("/desk/queue", {"q": words})))

    assert (found("mari"), found("PINGUIN"), found("kernel")) == (["maria"], ["linus"], ["linus"])
    assert found("nothing like it") == []


@pytest.mark.parametrize("query", ["after=nonsense", "after=2026-01-01~1", "q=%00%27%22", "tab=%00", "after=~~~"])
def test_odd_parameters_do_no_harm(moderator: Client, make_request: MakeRequest, query: str) -> None:
    make_request()
    assert moderator.get(f"/desk/queue?{query}").status_code == 200


def test_queue_asks_the_database_as_often_for_fifty_as_for_one(
    moderator: Client, make_request: MakeRequest, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    moderator.get("/desk/queue")
    make_request()
    with django_assert_max_num_queries(8) as one:
        moderator.get("/desk/queue")
    many(60)
    with django_assert_max_num_queries(len(one)):
        moderator.get("/desk/queue")


def test_overview_asks_few_questions_however_much_there_is(
    moderator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many(60)
    today = now().astimezone(UTC).date()
    Day.objects.bulk_create(Day(day=today - number * days.A_DAY) for number in range(1, days.DAYS))
    with django_assert_max_num_queries(14):
        assert moderator.get("/desk/").status_code == 200


def test_ticked_requests_are_decided_together(moderator: Client, make_request: MakeRequest) -> None:
    rows = [make_request(name) for name in ("maria", "linus", "sofia")]
    chosen = [str(row.id) for row in rows[:2]]
    page = text_of(moderator.get("/desk/decide", {"id": chosen, "decision": "deny"}))
    assert "Deny 2 requests" in page

    response = moderator.post("/desk/decide", {"ids": ",".join(chosen), "decision": "deny", "message": "Full."})

    assert response.status_code == 303
    assert [fresh(row).state for row in rows] == ["denied", "denied", "waiting"]
    assert "You have denied 2 requests." in text_of(moderator.get("/desk/queue"))
    moderator.post("/desk/undo", {"ids": ",".join(chosen)})
    assert [fresh(row).state for row in rows] == ["waiting"] * 3


def test_what_others_decided_meanwhile_is_told(moderator: Client, make_request: MakeRequest) -> None:
    first, second = make_request("maria"), make_request("linus")
    decisions.deny(first.id, Actor.staff("bert"))

    moderator.post("/desk/decide", {"ids": f"{first.id},{second.id}", "decision": "approve"})

    page = text_of(moderator.get("/desk/queue"))
    assert "@maria:example.test: bert denied this request on" in page
    assert "You have approved 1 request." in page
    assert (fresh(first).state, fresh(second).state) == ("denied", "approved")


def test_nothing_ticked_is_said(moderator: Client) -> None:
    for ids in ("", "abc", "99999999999999999999", "-1"):
        assert moderator.get("/desk/decide", {"id": ids, "decision": "deny"}).status_code == 303
        assert "Choose some requests first." in text_of(moderator.get("/desk/queue"))


def test_a_thousand_are_decided_at_once(
    moderator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = many(1003)
    late = a_request("late")
    page = text_of(moderator.get("/desk/decide", {"all": "yes", "tab": "waiting", "decision": "approve"}))
    ids = re.search(r'name="ids" value="([^"]+)"', page)
    assert ids is not None
    late.save()  # comes while the moderator reads, and is not decided on unseen

    with django_assert_max_num_queries(8100):
        response = moderator.post("/desk/decide", {"ids": ids[1], "decision": "approve"})

    assert response.status_code == 303
    assert Application.objects.filter(state="approved").count() == 1000
    left = set(Application.objects.filter(state="waiting").values_list("id", flat=True))
    assert left == {late.id, *(row.id for row in made[1000:])}
    assert "You have approved 1000 requests." in text_of(moderator.get("/desk/queue"))


def test_answer_is_a_tick_only_where_the_question_is_a_box(make_request: MakeRequest, configure: Configure) -> None:
    questions = [
        {"id": "sure", "text": "Are you sure?", "kind": "text"},
        {"id": "rules", "text": "The rules are mine.", "kind": "checkbox"},
    ]
    configure(**OPEN, application={"questions": questions})
    answers = [{"id": it["id"], "text": it["text"], "answer": "yes"} for it in questions]

    shown = card(make_request(answers=answers), Me("anna", is_admin=False)).answers

    assert [(it.question, it.answer) for it in shown] == [("Are you sure?", "yes"), ("The rules are mine.", "Yes")]
