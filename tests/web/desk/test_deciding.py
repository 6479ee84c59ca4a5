"""Deciding on one request: the mail beforehand, races, undo."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from foyer.applications import decisions, keys
from foyer.applications.mailing import denied_message
from foyer.applications.models import Message
from foyer.audit.models import Event
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN, MakeRequest, browser_of, fresh, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_approving_leads_back_to_the_queue_and_offers_undo(moderator: Client, make_request: MakeRequest) -> None:
    row, follows = make_request("maria"), make_request("linus")

    response = moderator.post(
        f"/desk/requests/{row.id}/approve",
        {"message": "Welcome!", "reason": "Anna knows her", "tab": "flagged", "q": "m&m", "next": str(follows.id)},
    )

    assert response.status_code == 303
    assert response.headers["Location"] == f"../../../desk/queue?tab=flagged&q=m%26m#address-{follows.id}"
    decided = fresh(row)
    assert (decided.state, decided.message, decided.reason) == ("approved", "Welcome!", "Anna knows her")
    assert (decided.decided_by, decided.is_silent) == ("staff:anna", False)
    assert "You have approved 1 request." in text_of(moderator.get("/desk/queue"))


def test_denying_in_silence_owes_no_mail(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    moderator.post(f"/desk/requests/{row.id}/deny", {"silent": "yes"})

    assert (fresh(row).state, fresh(row).is_silent) == ("denied", True)


def test_silence_is_preset_where_the_email_takes_no_mail(moderator: Client, make_request: MakeRequest) -> None:
    heard, deaf = make_request("maria"), make_request("linus", mail_refused_at=now())

    assert "data-silent checked" not in text_of(moderator.get(f"/desk/requests/{heard.id}/deny"))
    assert "data-silent checked" in text_of(moderator.get(f"/desk/requests/{deaf.id}/deny"))


def test_asking_sends_the_question(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    moderator.post(f"/desk/requests/{row.id}/ask", {"message": "Who told you about us?"})

    assert fresh(row).state == "asked"
    assert Message.objects.get(application=row).text == "Who told you about us?"
    assert Delivery.objects.filter(kind="applications.question").count() == 1


def test_empty_question_is_refused_beside_its_field(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    response = moderator.post(f"/desk/requests/{row.id}/ask", {"message": "  "})

    assert response.status_code == 400
    assert "Write something first." in text_of(response)
    assert fresh(row).state == "waiting"


def test_mail_is_shown_before_it_goes_without_the_key_of_its_link(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request(language="de")
    shown = text_of(moderator.post(f"/desk/requests/{row.id}/deny", {"preview": "yes", "message": "Schade & <b>"}))

    assert 'lang="de" aria-label="The mail"' in shown
    assert "Schade &amp; &lt;b&gt;" in shown
    assert "maria@example.com" in shown
    assert keys.status_key(row) not in text_of(moderator.get(f"/desk/requests/{row.id}/approve"))
    assert fresh(row).state == "waiting"


def test_mail_that_says_yes_tells_until_when_its_link_is_good(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    shown = text_of(moderator.get(f"/desk/requests/{row.id}/approve"))

    assert "Choose a password now, and your account @maria:example.test is there." in shown
    assert "Open until" in shown
    assert "http://localhost:5000/i/•••" in shown


def test_preview_is_word_for_word_what_is_sent(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    shown = text_of(moderator.post(f"/desk/requests/{row.id}/deny", {"preview": "yes", "message": "Not now."}))
    moderator.post(f"/desk/requests/{row.id}/deny", {"message": "Not now."})
    sent = denied_message(fresh(row)).content()
    text = re.search(r'<pre class="letter-text"[^>]*>(.*?)</pre>', shown, re.DOTALL)
    assert text is not None
    assert text[1].replace("&gt;", ">").replace("&#39;", "'").strip() == sent.text.strip()


def test_templates_of_the_owner_stand_in_the_place_of_ours(
    moderator: Client, make_request: MakeRequest, configure: Configure
) -> None:
    own = [
        {"title": "Come by", "decision": "ask", "text": "Will you come to our next meeting?"},
        {"title": "Members only", "decision": "deny", "text": "We are here for members.\nJoin us first."},
    ]
    configure(**OPEN, application={"templates": own})
    row = make_request()

    asks = text_of(moderator.get(f"/desk/requests/{row.id}/ask"))
    assert "Come by" in asks
    assert "Who referred you?" not in asks
    assert "Members only" not in asks
    chosen = text_of(moderator.post(f"/desk/requests/{row.id}/deny", {"wording": "0"}))
    assert chosen.count("We are here for members.") >= 2  # in the form, and in the mail
    assert "Warm welcome" in text_of(moderator.get(f"/desk/requests/{row.id}/approve"))


def test_wording_is_in_the_language_of_the_applicant(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request(language="en")
    page = text_of(moderator.post(f"/desk/requests/{row.id}/approve", {"wording": "0"}))

    assert "Welcome! We are glad that you are here.</textarea>" in page


def test_script_gets_the_mail_alone(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    response = moderator.post(
        f"/desk/requests/{row.id}/deny",
        {"preview": "yes", "message": "No room."},
        headers={"X-Foyer-Fragment": "letter"},
    )

    assert "No room." in text_of(response)
    assert "<html" not in text_of(response)


def test_second_moderator_sees_who_decided_and_when(anna: Staff, bert: Staff, make_request: MakeRequest) -> None:
    row = make_request()
    first, second = browser_of(anna), browser_of(bert)
    first.post(f"/desk/requests/{row.id}/approve")

    response = second.post(f"/desk/requests/{row.id}/deny", {"message": "No"})

    assert response.status_code == 409
    year = str(now().year)
    assert re.search(rf"anna approved this request on [^<]*{year}, \d\d:\d\d UTC\.", text_of(response))
    assert fresh(row).state == "approved"
    assert Event.objects.filter(verb__in=["application.approved", "application.denied"]).count() == 1
    assert "anna approved this request" in text_of(second.get(f"/desk/requests/{row.id}/deny"))


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_once_are_one(anna: Staff, bert: Staff, make_request: MakeRequest) -> None:
    row = make_request()
    together = threading.Barrier(2)
    answers: list[int] = []

    def decide(client: Client, act: str) -> None:
        try:
            together.wait()
            answers.append(client.post(f"/desk/requests/{row.id}/{act}").status_code)
        finally:
            connections.close_all()

    pairs = [(browser_of(anna), "approve"), (browser_of(bert), "deny")]
    threads = [threading.Thread(target=decide, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [303, 409]
    assert Event.objects.filter(verb__in=["application.approved", "application.denied"]).count() == 1


def test_undo_puts_it_back(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    moderator.post(f"/desk/requests/{row.id}/deny")
    response = moderator.post("/desk/undo", {"ids": str(row.id)})

    assert response.status_code == 303
    assert fresh(row).state == "waiting"
    page = text_of(moderator.get("/desk/queue"))
    assert "Taken back: 1 request waits again." in page
    assert "You have denied" not in page


def test_undo_comes_too_late_once_it_has_taken_effect(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request(
        state="denied", decision="deny", decided_by="staff:bert", decided_at=now(), effects_started_at=now()
    )
    moderator.post("/desk/undo", {"ids": str(row.id)})

    assert fresh(row).state == "denied"
    assert "cannot be undone any more" in text_of(moderator.get("/desk/queue"))


def test_offer_to_undo_ends_with_the_minute(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    moderator.post(f"/desk/requests/{row.id}/deny")
    session = moderator.session
    session["desk_deed"] = {**session["desk_deed"], "until": (now() - timedelta(seconds=1)).isoformat()}
    session.save()

    assert "You have denied" not in text_of(moderator.get("/desk/queue"))


def test_claim_is_seen_by_the_others(anna: Staff, bert: Staff, make_request: MakeRequest) -> None:
    row = make_request()
    browser_of(anna).post(f"/desk/requests/{row.id}/act/claim")

    other = browser_of(bert)
    assert "anna is reading this" in text_of(other.get("/desk/queue"))
    assert other.get("/desk/counts").json()["reading"] == {str(row.id): "anna is reading this"}
    other.post(f"/desk/requests/{row.id}/act/claim")
    assert fresh(row).claimed_by == "staff:anna"
    browser_of(anna).post(f"/desk/requests/{row.id}/act/release", headers={"X-Foyer-Script": "yes"})
    assert fresh(row).claimed_by == ""


def test_note_and_reopening(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request(
        state="denied", decision="deny", decided_by="staff:bert", decided_at=now(), effects_started_at=now()
    )
    moderator.post(f"/desk/requests/{row.id}/act/note", {"text": "They wrote to me: <kind>"})
    moderator.post(f"/desk/requests/{row.id}/act/reopen")

    page = text_of(moderator.get(f"/desk/requests/{row.id}"))
    assert "They wrote to me: &lt;kind&gt;" in page
    assert "waits again" in page
    assert fresh(row).state == "waiting"


def test_request_page_tells_the_whole_story(moderator: Client, make_request: MakeRequest) -> None:
    make_request("adm1n", state="denied", decided_at=now(), decided_by="staff:bert", decision="deny", subnet="")
    make_request("linus", email="maria+two@example.com", subnet="")
    row = make_request("admin", email="maria@example.com", flags=[{"code": "looks-like", "params": {"name": "admin"}}])
    decisions.note(row.id, Actor.staff("bert"), "Careful here.")
    decisions.ask(row.id, Actor.staff("bert"), "Who are you, really?")

    page = text_of(moderator.get(f"/desk/requests/{row.id}"))

    for words in (
        "the name looks like admin", "A name that looks the same", "@adm1n:example.test", "The same mailbox",
        "@linus:example.test", "Careful here.", "Who are you, really?", "Asked a question", "Wrote a note",
    ):  # fmt: skip
        assert words in page
