"""What is done on the pages for invitations, people, rules, history and health."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from foyer.accounts.models import Account
from foyer.audit.models import Event
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from foyer.screening.models import Rule
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN, MakeRequest, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ANNA = Actor.staff("anna")


def body(response: object) -> str:
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_one_press_makes_an_invitation_with_the_house_defaults(moderator: Client, configure: Configure) -> None:
    configure(**OPEN, invitations={"uses": 3, "expires": "2d", "show_inviter": True})

    response = moderator.post("/desk/invitations")

    made = Invite.objects.get()
    assert response.headers["Location"] == f"../desk/invitations/{made.pk}"
    assert (made.uses_limit, made.inviter, made.created_by) == (3, "anna", "staff:anna")
    assert made.expires_at is not None
    assert abs(made.expires_at - now() - timedelta(days=2)) < timedelta(minutes=1)
    assert f"/i/{made.code}" in text_of(moderator.get(f"/desk/invitations/{made.pk}"))


def test_invitation_with_everything(moderator: Client, configure: Configure) -> None:
    configure(**OPEN, after={"rooms": ["#plaza:example.test"]})
    form = {
        "count": "1",
        "uses": "5",
        "expires": "2099-01-31",
        "label": "Choir",
        "message": "Come!\r\nSing!",
        "inviter": "Anna",
        "rooms": "#plaza:example.test\n#plaza:example.test",
        "username": "Erika",
        "email": "erika@example.com",
        "code": "SingWithUs",
        "send": "yes",
    }

    assert moderator.post("/desk/invitations/new", form).status_code == 303

    made = Invite.objects.get()
    assert (made.code, made.uses_limit, made.label, made.message) == ("SingWithUs", 5, "Choir", "Come!\nSing!")
    assert (made.rooms, made.localpart, made.email) == (["#plaza:example.test"], "erika", "erika@example.com")
    assert made.expires_at is not None
    assert made.expires_at.isoformat() == "2099-01-31T23:59:59+00:00"
    assert Delivery.objects.get().subject == f"invite:{made.pk}"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"count": "0"}, "count"),
        ({"count": "201"}, "count"),
        ({"uses": "many"}, "uses"),
        ({"expires": "tomorrow"}, "expires"),
        ({"expires": "2020-01-01"}, "expires"),
        ({"rooms": "plaza"}, "rooms"),
        ({"code": ".."}, "code"),
        ({"username": "a b"}, "username"),
        ({"email": "erika"}, "email"),
        ({"code": "ä"}, "code"),
        ({"code": "Taken"}, "code"),
        ({"label": "x" * 201}, "label"),
        ({"count": "2", "username": "erika"}, "username"),
        ({"count": "2", "code": "Twice"}, "code"),
        ({"send": "yes"}, "email"),
    ],
)
def test_invitation_with_a_mistake_is_not_made_and_says_where(
    moderator: Client, wrong: dict[str, str], field: str
) -> None:
    invites.create(NewInvite(code="Taken"), actor=ANNA)

    response = moderator.post("/desk/invitations/new", {"count": "1", "label": "kept", **wrong})

    assert response.status_code == 400
    assert f'<a href="#{field}">' in text_of(response)
    assert (Invite.objects.count(), Delivery.objects.count()) == (1, 0)


def test_further_rooms_are_for_admins_to_name(moderator: Client, admin: Client) -> None:
    form = {"uses": "1", "rooms": "#secret:example.test"}
    shown = ['name="rooms"' in text_of(who.get("/desk/invitations/new")) for who in (moderator, admin)]
    assert shown == [False, True]

    refused = moderator.post("/desk/invitations/new", form)

    assert refused.status_code == 400
    assert "Only admins can name further rooms." in text_of(refused)
    assert not Invite.objects.exists()
    assert admin.post("/desk/invitations/new", form).status_code == 303
    assert Invite.objects.get().rooms == ["#secret:example.test"]


def test_batch_leads_to_a_sheet_with_every_link(moderator: Client) -> None:
    response = moderator.post("/desk/invitations/new", {"count": "7", "uses": "1"})

    sheet = text_of(moderator.get("/" + response.headers["Location"].lstrip("./")))
    assert Invite.objects.count() == 7
    assert all(f"/i/{code}" in sheet for code in Invite.objects.values_list("code", flat=True))


def test_closing_and_opening_again(moderator: Client) -> None:
    made = invites.create(NewInvite(), actor=ANNA)

    moderator.post(f"/desk/invitations/{made.pk}/close")
    assert Invite.objects.get().revoked_at is not None
    moderator.post(f"/desk/invitations/{made.pk}/reopen")
    assert Invite.objects.get().revoked_at is None


def test_mailing_pins_the_email_and_owes_one_mail_however_often_it_is_pressed(moderator: Client) -> None:
    made = invites.create(NewInvite(), actor=ANNA)

    for _press in range(2):
        moderator.post(f"/desk/invitations/{made.pk}/mail", {"email": "Erika@example.com"})

    assert Invite.objects.get().email == "Erika@example.com"
    assert Delivery.objects.count() == 1
    response = moderator.post(f"/desk/invitations/{made.pk}/mail", {"email": "x"})
    assert response.status_code in {303, 400}


def test_mailing_where_no_mail_server_is_set_up_changes_nothing(moderator: Client, configure: Configure) -> None:
    configure(email={})
    made = invites.create(NewInvite(), actor=ANNA)

    response = moderator.post(f"/desk/invitations/{made.pk}/mail", {"email": "erika@example.com"})

    assert response.status_code == 400
    assert Invite.objects.get().email == ""


def test_qr_codes_are_files(moderator: Client) -> None:
    made = invites.create(NewInvite(), actor=ANNA)

    svg, png = (moderator.get(f"/desk/invitations/{made.pk}/qr.{kind}") for kind in ("svg", "png"))

    assert svg.content.startswith(b"<?xml")
    assert png.content.startswith(b"\x89PNG")
    assert png.headers["Content-Type"] == "image/png"


def test_people_are_paged_searched_and_led_back_to_their_way_in(moderator: Client, make_request: MakeRequest) -> None:
    mine = invites.create(NewInvite(code="MineAlone"), actor=ANNA)
    theirs = invites.create(NewInvite(code="TheirsAlone", uses_limit=None), actor=Actor.staff("bert"))
    row = make_request("erika")
    for number in range(60):
        account = Account.objects.create(localpart=f"guest{number:02}", state="open", settled_at=now())
        invites.reserve(theirs.code, holder=account.holder)
    maria = Account.objects.create(localpart="maria", state="open", settled_at=now())
    invites.reserve(mine.code, holder=maria.holder)
    Account.objects.create(localpart="erika", state="held", made_for=row.holder)

    first = text_of(moderator.get("/desk/people"))
    assert "@maria:example.test" in first
    assert "MineAlone" in first
    assert "TheirsAlone" not in first
    assert f"desk/requests/{row.pk}" in first
    assert "@guest05:example.test" not in first
    last = Account.objects.order_by("-id")[49].pk
    assert "@guest05:example.test" in text_of(moderator.get(f"/desk/people?before={last}"))
    assert "@guest05:example.test" in text_of(moderator.get("/desk/people?q=@guest05"))
    assert "@erika" not in text_of(moderator.get("/desk/people?which=in"))


def test_person_is_not_led_back_to_the_request_that_had_the_account_before(
    moderator: Client, make_request: MakeRequest
) -> None:
    maria = Account.objects.create(localpart="maria", state="open", settled_at=now())
    theirs = make_request("maria", state="done", account_id=maria.id)
    earlier = make_request("maria2", localpart="maria", state="denied", account_id=maria.id)

    page = text_of(moderator.get("/desk/people"))

    assert f"desk/requests/{theirs.pk}" in page
    assert f"desk/requests/{earlier.pk}" not in page


def test_rule_is_tried_made_changed_and_ended(admin: Client, make_request: MakeRequest) -> None:
    make_request("sp4mmer")
    form = {"about": "name", "effect": "refuse", "pattern": "spam.*", "comment": "a wave", "expires": ""}

    looked = admin.post("/desk/rules/new", {**form, "look": "yes"})
    assert "@sp4mmer:example.test" in text_of(looked)
    assert Rule.objects.count() == 0
    assert admin.post("/desk/rules/new", form).status_code == 303
    rule = Rule.objects.get()
    assert (rule.pattern, rule.comment, rule.created_by) == ("spam.*", "a wave", "staff:bert")
    admin.post(f"/desk/rules/{rule.pk}/edit", {**form, "effect": "hold", "expires": "2099-12-31"})
    assert Rule.objects.get().effect == "hold"
    admin.post(f"/desk/rules/{rule.pk}/end")
    assert Rule.objects.get().ended_at is not None
    assert "was ended before" in text_of(admin.post(f"/desk/rules/{rule.pk}/edit", form))
    assert "spam.*" in text_of(admin.get("/desk/rules?which=over"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"pattern": "("}, "pattern"),
        ({"pattern": "(a+)+b"}, "pattern"),
        ({"pattern": ".*"}, "pattern"),
        ({"about": "network", "pattern": "0.0.0.0/0"}, "pattern"),
        ({"about": "domain", "pattern": "no domain"}, "pattern"),
        ({"about": "shoes"}, "about"),
        ({"effect": "bite"}, "about"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "2020-01-01"}, "expires"),
    ],
)
def test_bad_rule_cannot_be_saved(admin: Client, wrong: dict[str, str], field: str) -> None:
    response = admin.post("/desk/rules/new", {"about": "name", "effect": "hold", "pattern": "abc", **wrong})

    assert response.status_code == 400
    assert f'<a href="#{field}">' in text_of(response)
    assert Rule.objects.count() == 0


def test_history_is_filtered_and_names_what_it_is_about(admin: Client, make_request: MakeRequest) -> None:
    row = make_request("maria")
    record(Verb.APPLICATION_NOTED, actor=ANNA, subject=("application", row.pk))
    record(Verb.APPLICATION_DENIED, actor=Actor.staff("otto"), subject=("application", 424242))
    Event.objects.filter(verb=Verb.APPLICATION_DENIED).update(at=now() - timedelta(days=10))
    yesterday, long_ago = ((now() - timedelta(days=days)).date().isoformat() for days in (1, 9))

    def shows(query: str) -> tuple[bool, bool]:
        text = text_of(admin.get(f"/desk/history?{query}"))
        return "@maria:example.test" in text, "request 424242" in text

    assert shows("") == (True, True)
    assert shows("verb=application.noted") == (True, False)
    assert shows("verb=application") == (True, True)
    assert shows("verb=invite") == (False, False)
    assert shows("actor=otto") == (False, True)
    assert shows("actor=staff:anna") == (True, False)
    assert shows(f"subject=application&number={row.pk}") == (True, False)
    assert shows(f"since={yesterday}") == (True, False)
    assert shows(f"until={long_ago}") == (False, True)
    assert admin.get("/desk/history?since=soon").status_code == 400


def test_history_is_exported_whole_and_without_names(admin: Client, make_request: MakeRequest) -> None:
    row = make_request("maria")
    for _number in range(1005):
        record(Verb.APPLICATION_NOTED, actor=ANNA, subject=("application", row.pk), words=3)
    Event.objects.filter(id=Event.objects.latest("id").pk).update(actor="=cmd()")

    as_csv = body(admin.get("/desk/history.csv?verb=application.noted"))
    as_json = body(admin.get("/desk/history.json?verb=application.noted"))

    rows = list(csv.DictReader(io.StringIO(as_csv)))
    events = json.loads(as_json)
    assert (len(rows), len(events)) == (1005, 1005)
    assert rows[0]["actor"] == "'=cmd()"
    assert events[1] == {**events[1], "verb": "application.noted", "actor": "staff:anna", "facts": {"words": 3}}
    assert "maria" not in as_csv + as_json
    assert json.loads(body(admin.get("/desk/history.json?verb=rule"))) == []


def test_health_shows_what_failed_and_tries_it_again(admin: Client, homeserver: MemoryHomeserver) -> None:
    job = Job.objects.create(lane="house", kind="names.sweep", subject="", gave_up_at=now(), last_error="broken")
    facts = {"kind": "x", "subject": "application:1", "recipient": "m@example.com", "finished_at": now()}
    sent = [
        Delivery.objects.create(**facts, recipient_shown=f"{state}@x", message_id=f"<{state}>", state=state)
        for state in ("gave-up", "refused", "sent")
    ]

    page = text_of(admin.get("/desk/health?look=yes"))
    assert "names.sweep" in page
    assert "gave-up@x" in page
    assert "sent@x" not in page
    admin.post(f"/desk/health/jobs/{job.pk}")
    assert Job.objects.get(id=job.pk).gave_up_at is None
    admin.post(f"/desk/health/deliveries/{sent[0].pk}")
    assert Delivery.objects.get(id=sent[0].pk).state == "owed"
    admin.post("/desk/health/deliveries/all")
    again = Event.objects.filter(verb__endswith=".tried-again").order_by("id")
    assert set(again.values_list("verb", "actor")) == {
        ("job.tried-again", "staff:bert"),
        ("delivery.tried-again", "staff:bert"),
    }
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["owed", "owed", "sent"]
