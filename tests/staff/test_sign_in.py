from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client

from foyer.audit.models import Event
from foyer.jobs.registry import find, scheduled
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.staff import services
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.staff.conftest import PASSWORD, MakeStaff, SignIn, give_password, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WRONG = "That name and password do not go together. Check both and try again."
TOO_MANY = "There were too many tries. Wait five minutes, then try again."


def events(verb: str) -> list[Event]:
    return list(Event.objects.filter(verb=verb).order_by("id"))


def test_sign_in_with_name_and_password_opens_the_desk(moderator: Staff, sign_in: SignIn) -> None:
    assert sign_in(moderator).get("/desk/queue").content == b"queue of staff:anna"


def test_sign_in_is_in_the_audit_with_the_way_it_was_done(moderator: Staff, sign_in: SignIn) -> None:
    sign_in(moderator)

    (event,) = events("staff.signed-in")
    assert (event.actor, event.subject_id, event.facts) == ("staff:anna", str(moderator.pk), {"by": "password"})


@pytest.mark.parametrize("typed", ["anna", "Anna", " ANNA "])
def test_sign_in_takes_the_name_in_any_case(moderator: Staff, stranger: Client, typed: str) -> None:
    assert give_password(stranger, typed).headers["Location"] == "/desk/"


def test_sign_in_leads_on_to_where_somebody_wanted_to_go(moderator: Staff, stranger: Client) -> None:
    asked = stranger.get("/desk/queue?tab=2")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/desk/sign-in?next=%2Fdesk%2Fqueue%3Ftab%3D2")
    page = stranger.get(asked.headers["Location"])

    assert b'name="next" value="/desk/queue?tab=2"' in page.content
    assert give_password(stranger, "anna", next="/desk/queue?tab=2").headers["Location"] == "/desk/queue?tab=2"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:x", "/\\example.org"])
def test_sign_in_never_leads_to_another_site(moderator: Staff, stranger: Client, elsewhere: str) -> None:
    assert give_password(stranger, "anna", next=elsewhere).headers["Location"] == "/desk/"


@pytest.mark.parametrize("name", ["anna", "nobody-of-ours"])
def test_wrong_password_says_the_same_whether_the_name_exists(moderator: Staff, stranger: Client, name: str) -> None:
    response = give_password(stranger, name, "not the password")

    assert response.status_code == 400
    assert WRONG in text_of(response)
    assert b"not the password" not in response.content


def test_wrong_password_keeps_the_name_typed_out_of_the_audit(moderator: Staff, stranger: Client) -> None:
    give_password(stranger, "anna", "not the password")
    give_password(stranger, "hunter2 typed into the wrong field", "x")

    known, unknown = events("staff.sign-in-failed")
    assert (known.subject_id, known.actor, known.facts) == (str(moderator.pk), "person", {"step": "password"})
    assert (unknown.subject_id, unknown.actor, unknown.facts) == ("nobody", "person", {"step": "password"})


def test_five_wrong_passwords_close_the_name_for_a_while(moderator: Staff, stranger: Client) -> None:
    for _ in range(5):
        give_password(stranger, "anna", "not the password")

    assert TOO_MANY in text_of(give_password(stranger, "anna"))
    assert len(events("staff.sign-in-failed")) == 5
    with time_machine.travel(now() + timedelta(minutes=6), tick=False):
        assert give_password(stranger, "anna").status_code == 302


def test_throttle_counts_for_a_name_from_every_ip(moderator: Staff, configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"])
    for number in range(5):
        client = Client(HTTP_HOST="localhost:5000", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
        give_password(client, "anna", "not the password")

    assert TOO_MANY in text_of(give_password(Client(HTTP_HOST="localhost:5000"), "anna"))


def test_throttle_counts_for_an_ip_whatever_the_name(moderator: Staff, configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"])
    guesser = Client(HTTP_HOST="localhost:5000", HTTP_X_FORWARDED_FOR="192.0.2.1")
    for number in range(10):
        give_password(guesser, f"name{number}", "not the password")

    assert TOO_MANY in text_of(give_password(guesser, "anna"))
    other = Client(HTTP_HOST="localhost:5000", HTTP_X_FORWARDED_FOR="192.0.2.2")
    assert give_password(other, "anna").status_code == 302


def test_throttle_is_kept_where_every_process_finds_it(moderator: Staff, stranger: Client) -> None:
    give_password(stranger, "anna", "not the password")

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staff_cache WHERE cache_key LIKE %s", ["%login_failed%"])
        assert cursor.fetchone()[0] == 2


def test_too_many_posts_are_answered_before_any_password_is_tried(moderator: Staff, stranger: Client) -> None:
    cache.clear()
    statuses = [give_password(stranger, "anna").status_code for _ in range(31)]

    assert statuses[-1] == 429


def test_form_without_its_token_is_refused_kindly(moderator: Staff) -> None:
    client = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    response = give_password(client, "anna")

    assert response.status_code == 403
    assert "That form was too old" in text_of(response)


def test_form_from_another_origin_is_refused(moderator: Staff) -> None:
    client = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:5000", HTTP_ORIGIN="https://elsewhere.example")
    token = client.get("/desk/sign-in").cookies["foyer_staff_csrf"].value

    assert give_password(client, "anna", csrfmiddlewaretoken=token).status_code == 403


def test_pages_for_staff_let_browsers_say_where_a_form_comes_from(stranger: Client) -> None:
    page = stranger.get("/desk/sign-in")

    assert page.headers["Referrer-Policy"] == "same-origin"
    assert b'<meta name="referrer" content="same-origin">' in page.content


def test_disabled_account_with_the_right_password_is_told_so(moderator: Staff, stranger: Client) -> None:
    services.disable(moderator, actor=Actor.command_line())

    response = stranger.get(give_password(stranger, "anna").headers["Location"])
    assert response.status_code == 403
    assert "Your account here was closed." in text_of(response)
    assert stranger.get("/desk/queue").status_code == 303


def test_disabled_account_with_a_wrong_password_is_told_nothing(moderator: Staff, stranger: Client) -> None:
    services.disable(moderator, actor=Actor.command_line())

    assert WRONG in text_of(give_password(stranger, "anna", "not the password"))


def test_disabling_ends_the_sessions_at_once_and_for_good(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    services.disable(moderator, actor=Actor.command_line())
    assert client.get("/desk/queue").status_code == 303

    services.enable(moderator, actor=Actor.command_line())
    assert client.get("/desk/queue").status_code == 303


def test_enabling_does_not_wake_a_session_of_old(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    services.disable(moderator, actor=Actor.command_line())
    services.enable(moderator, actor=Actor.command_line())

    assert client.get("/desk/queue").status_code == 303


def test_resetting_the_password_ends_the_sessions(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    services.reset_password(moderator, PASSWORD, actor=Actor.command_line())

    assert client.get("/desk/queue").status_code == 303


def test_sign_in_lasts_as_long_as_the_owner_says_and_no_longer(
    moderator: Staff, sign_in: SignIn, configure: Configure
) -> None:
    configure(staff={"session": "2h"})
    client = sign_in(moderator)
    began = now()

    with time_machine.travel(began + timedelta(minutes=119), tick=False):
        assert client.get("/desk/queue").status_code == 200
    with time_machine.travel(began + timedelta(minutes=121), tick=False):
        assert client.get("/desk/queue").status_code == 303


def test_sign_out_ends_the_session(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)

    assert client.get("/desk/sign-out").status_code == 200
    assert client.get("/desk/queue").status_code == 200
    response = client.post("/desk/sign-out")
    assert response.headers["Location"] == "/desk/sign-in"
    assert "You are signed out." in text_of(client.get("/desk/sign-in"))
    assert client.get("/desk/queue").status_code == 303
    assert [event.actor for event in events("staff.signed-out")] == ["staff:anna"]


def test_changing_the_password_ends_the_other_sessions(moderator: Staff, sign_in: SignIn) -> None:
    here, elsewhere = sign_in(moderator), sign_in(moderator)
    new = "violet harbour thistle"
    changed = here.post("/desk/account/password", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert changed.headers["Location"] == "/desk/account"
    assert here.get("/desk/queue").status_code == 200
    assert elsewhere.get("/desk/queue").status_code == 303
    assert sign_in(moderator, new).get("/desk/queue").status_code == 200
    assert [event.subject_id for event in events("staff.password-changed")] == [str(moderator.pk)]


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("not it", "violet harbour thistle", "violet harbour thistle", "That is not your password. Try again."),
        (PASSWORD, "short", "short", "This password is too short. It must contain at least 12 characters."),
        (PASSWORD, "password1234", "password1234", "This password is too common."),
        (PASSWORD, "violet harbour thistle", "violet harbour", "The two are not the same. Type the new one again."),
    ],
)
def test_changing_the_password_says_what_is_wrong_beside_the_field(
    moderator: Staff, sign_in: SignIn, old: str, new: str, again: str, said: str
) -> None:
    response = sign_in(moderator).post(
        "/desk/account/password", {"oldpassword": old, "password1": new, "password2": again}
    )

    assert response.status_code == 400
    assert said in text_of(response)


def test_session_cookie_is_bound_to_the_path_and_hidden_from_scripts(moderator: Staff, sign_in: SignIn) -> None:
    cookie = sign_in(moderator).cookies["foyer_staff"]

    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/", True, "Lax")


def test_sign_in_when_signed_in_already_goes_on(make_staff: MakeStaff, sign_in: SignIn) -> None:
    assert sign_in(make_staff()).get("/desk/sign-in").headers["Location"] == "/desk/"


def test_second_session_of_the_same_person_leaves_the_first(moderator: Staff, sign_in: SignIn) -> None:
    first, second = sign_in(moderator), sign_in(moderator)

    assert (first.get("/desk/queue").status_code, second.get("/desk/queue").status_code) == (200, 200)


def test_sessions_that_are_over_are_swept(moderator: Staff, sign_in: SignIn) -> None:
    sign_in(moderator)
    sign_in(moderator)
    Session.objects.filter(pk=Session.objects.earliest("pk").pk).update(expire_date=now() - timedelta(seconds=1))
    handler = find("staff.sessions")
    assert handler is not None
    assert handler in scheduled()
    handler.deed("")

    assert Session.objects.count() == 1
