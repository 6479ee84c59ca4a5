from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foyer.applications import decisions, effects, keys
from foyer.applications.models import Application, State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.names import services as names
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = Actor.staff("anna")


def decide(row: Application, *, yes: bool, message: str = "") -> None:
    """Decide, and let it take effect as the worker does."""
    (decisions.approve if yes else decisions.deny)(row.id, ANNA, message, at_once=True)
    effects.begin(row.id)
    if yes:
        effects.open_account(row.id)
        effects.invite(row.id)


def test_status_shows_what_was_asked_for_and_since_when(client: Client, begin: Begin) -> None:
    row = begin(until="review")

    answer = client.get(path_of(row))

    assert "<h1>Your request is being reviewed</h1>" in answer.text
    assert "@maria:example.test" in answer.text
    assert f'<bdi dir="ltr">{EMAIL}</bdi>' in answer.text
    assert f'<time datetime="{row.submitted_at:%Y-%m-%dT%H:%M:%SZ}" data-moment>' in answer.text
    assert '<li class="step step-here" aria-current="step">Review</li>' in answer.text
    assert "Lately" not in answer.text
    assert answer["Cache-Control"] == "no-store"
    assert "noindex" in answer.text


def test_status_tells_the_measured_wait_once_there_is_one(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    for number in range(5):
        Application.objects.create(
            state=State.DENIED,
            localpart=f"old{number}",
            nonce=str(number),
            key_digest=str(number),
            submitted_at=now() - timedelta(days=3),
            decided_at=now() - timedelta(days=1),
            ended_at=now(),
        )

    assert "<dd>about 2 days</dd>" in client.get(path_of(row)).text
    assert "Lately the answer has taken about 2 days." in client.get("/apply").text


@pytest.mark.parametrize("key", ["0" * 32, "x", "%FF", "a" * 2000])
def test_status_with_a_key_that_is_not_ours_is_unknown_on_every_page(client: Client, begin: Begin, key: str) -> None:
    begin(until="review")

    for page in ("", "/verify", "/again", "/email", "/name", "/available", "/about", "/reply", "/renew", "/withdraw"):
        for ask in (client.get, client.post):
            answer = ask(f"/apply/{key}{page}")
            assert answer.status_code in {404, 405}
            assert "maria" not in answer.text


def test_status_of_a_question_takes_the_answer(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    assert client.post(path_of(row, "/reply"), {"text": "Unasked"}).status_code == 303
    decisions.ask(row.id, ANNA, "Which garden?\nAnd <since> when?")

    asked = client.get(path_of(row)).text
    empty = client.post(path_of(row, "/reply"), {"text": "  "})
    too_long = client.post(path_of(row, "/reply"), {"text": "x" * 5001})
    done = follow(client, client.post(path_of(row, "/reply"), {"text": "The one in Leipzig."}))

    assert "<h1>The moderators have a question</h1>" in asked
    assert "And &lt;since&gt; when?" in asked
    assert "anna" not in asked.lower()
    assert (empty.status_code, too_long.status_code) == (400, 400)
    assert "x" * 5001 in too_long.text
    assert "Your answer is with the moderators." in done.text
    assert "The one in Leipzig." in done.text
    assert 'name="text"' not in done.text
    assert fresh(row).state == State.WAITING


def test_status_keeps_a_decision_to_itself_while_it_can_be_undone(client: Client, begin: Begin) -> None:
    for number, decide_now in enumerate((decisions.approve, decisions.deny)):
        row = begin(f"maria{number}", f"maria{number}@example.com", until="review")
        decide_now(row.id, ANNA, "A word")

        text = client.get(path_of(row)).text

        assert "<h1>Your request is being reviewed</h1>" in text
        assert "A word" not in text


def test_status_approved_shows_how_to_get_in(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    decide(row, yes=True, message="Say hello in #garden.")

    text = client.get(path_of(row)).text

    assert fresh(row).state == State.DONE
    assert "<h1>Welcome to example.test</h1>" in text
    assert "How to get in" in text
    assert "Say hello in #garden." in text
    assert "with the password that you chose when you asked" in text
    assert 'href="../register/welcome/' in text
    assert "Withdraw" not in text


def test_status_approved_while_the_homeserver_is_down_asks_for_patience(
    client: Client, begin: Begin, homeserver: MemoryHomeserver
) -> None:
    row = begin(until="review")
    decisions.approve(row.id, ANNA, at_once=True)
    effects.begin(row.id)

    assert "Your account is being opened." in client.get(path_of(row)).text


def test_status_approved_without_a_password_leads_to_the_invitation(
    client: Client, begin: Begin, configure: Configure
) -> None:
    configure(**{**OPEN, "application": {"password": "when_approved"}})
    row = begin(until="review")
    decide(row, yes=True)

    page = client.get(path_of(row))
    link = page.text.partition('class="button" href="../')[2].partition('"')[0].replace("&amp;", "&")
    join = client.get(f"/{link}")

    assert "One last step" in page.text
    assert 'name="username" value="maria"' in join.text
    assert 'name="key" value="' in join.text


def test_status_approved_with_a_name_that_is_gone_gives_a_free_choice(
    client: Client, begin: Begin, configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(**{**OPEN, "application": {"password": "when_approved"}})
    row = begin(until="review")
    decide(row, yes=True)
    kept = follow(client, client.post(path_of(row, "/freely")))
    assert "The name is still yours." in kept.text

    homeserver.create("maria", "of somebody else")
    free = follow(client, client.post(path_of(row, "/freely")))

    assert "<h1>Please choose another name</h1>" in free.text
    assert Invite.objects.get().localpart == ""


def test_status_approved_says_when_the_homeserver_does_not_answer(
    client: Client, begin: Begin, configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(**{**OPEN, "application": {"password": "when_approved"}})
    row = begin(until="review")
    decide(row, yes=True)
    homeserver.fail(Fault.DOWN, "check_name")

    answer = client.post(path_of(row, "/freely"))

    assert answer.status_code == 503
    assert "That did not work" in answer.text


def test_status_denied_is_kind_and_points_elsewhere(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    decide(row, yes=False, message="We take only neighbours.")

    answer = client.get(path_of(row))

    assert answer.status_code == 200
    assert "<h1>Your request was not approved</h1>" in answer.text
    assert "We take only neighbours." in answer.text
    assert "https://servers.joinmatrix.org/" in answer.text
    assert "anna" not in answer.text.lower()


def test_status_lapsed_can_be_taken_up_again(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    decisions.ask(row.id, ANNA, "Still there?")
    Application.objects.filter(id=row.id).update(state=State.LAPSED, ended_at=now())
    names.release("maria", holder=row.holder)

    lapsed = client.get(path_of(row)).text
    again = follow(client, client.post(path_of(row, "/renew")))

    assert "<h1>Your request has lapsed</h1>" in lapsed
    assert "asked you something" in lapsed
    assert "<h1>Your request is being reviewed</h1>" in again.text


def test_withdraw_asks_first_and_then_erases(client: Client, begin: Begin) -> None:
    row = begin(until="review")

    asks = client.get(path_of(row, "/withdraw"))
    assert "Withdraw your request?" in asks.text
    assert fresh(row).state == State.WAITING
    done = follow(client, client.post(path_of(row, "/withdraw")))

    assert "You have withdrawn your request" in done.text
    assert (fresh(row).state, fresh(row).email) == (State.WITHDRAWN, "")
    assert names.holder_of("maria") is None


def test_withdraw_of_what_is_decided_leads_back(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    decide(row, yes=False)

    assert client.get(path_of(row, "/withdraw")).status_code == 303
    late = follow(client, client.post(path_of(row, "/withdraw")))
    assert "It was too late to withdraw" in late.text
    assert 'href="' + path_of(row, "/withdraw") not in late.text
    assert fresh(row).state == State.DENIED


def test_withdraw_while_the_link_is_being_used_says_that_it_is_too_late(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.job())
    Invite.objects.filter(id=made.id).update(held=1)
    Application.objects.filter(id=row.id).update(state=State.APPROVED, invite_id=made.id, effects_started_at=now())

    late = follow(client, client.post(path_of(row, "/withdraw")))

    assert "It was too late to withdraw" in late.text
    assert fresh(row).state == State.APPROVED


def test_withdraw_is_not_offered_in_the_minute_after_a_denial(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    assert "/withdraw" in client.get(path_of(row)).text
    decisions.deny(row.id, ANNA)

    page = client.get(path_of(row))

    assert "Your request is being reviewed" in page.text
    assert "/withdraw" not in page.text


def test_status_costs_few_queries(
    client: Client, begin: Begin, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    row = begin(until="review")

    with django_assert_max_num_queries(3):
        client.get(path_of(row))


def test_links_are_relative_to_where_the_page_stands(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    other = begin("rosa", "rosa@example.com", until="about")
    paths = {"/apply": "", "/apply/email?name=a": "../", path_of(row): "../", path_of(other, "/about"): "../../"}
    paths[f"/apply/confirm/{keys.proven_mail_key(row)}"] = "../../"

    for path, root in paths.items():
        text = client.get(path).text
        assert f'href="{root}static/' in text
        assert 'href="/' not in text
        assert 'action="/' not in text
        assert "http://localhost" not in text


def test_status_after_retention_is_unknown(client: Client, begin: Begin) -> None:
    row = begin(until="review")
    path = path_of(row)
    with time_machine.travel(now() + timedelta(days=1)):
        row.delete()

    answer = client.get(path)

    assert answer.status_code == 404
    assert "Requests are deleted some time after they are decided." in answer.text
