from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from foyer.audit.models import Event
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.staff import queries, services
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.staff.conftest import PASSWORD, SECOND_FACTOR, SignIn, add_app, add_passkey, code_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOT_RIGHT = "That code is not right, or was used before. Try the next one."


def facts(verb: str) -> list[dict[str, object]]:
    return list(Event.objects.filter(verb=verb).order_by("id").values_list("facts", flat=True))


def stored(staff: Staff, kind: str) -> dict[str, object]:
    data: dict[str, object] = Authenticator.objects.get(user=staff, type=kind).data
    return data


def test_password_alone_opens_nothing_to_somebody_with_an_app(moderator: Staff, sign_in: SignIn) -> None:
    add_app(moderator)
    client = sign_in(moderator)

    for path in ("/desk/queue", "/desk/account", "/desk/account/app", "/desk/account/password"):
        assert client.get(path).headers["Location"].startswith("/desk/sign-in")


def test_code_of_the_app_finishes_the_sign_in(moderator: Staff, sign_in: SignIn) -> None:
    secret = add_app(moderator)
    client = sign_in(moderator)
    page = client.get(SECOND_FACTOR)
    assert "The six digits that your authenticator app shows, or a recovery code." in text_of(page)

    client.post(SECOND_FACTOR, {"code": code_of(secret)})
    assert client.get("/desk/queue").status_code == 200
    assert facts("staff.signed-in") == [{"by": "password+totp"}]


def test_code_lets_nobody_in_twice(moderator: Staff, sign_in: SignIn) -> None:
    secret = add_app(moderator)
    began = now()
    with time_machine.travel(began, tick=False):
        code = code_of(secret)
        sign_in(moderator).post(SECOND_FACTOR, {"code": code})

    # Still good by the clock, and more than the half minute later for which allauth remembers it.
    for seconds in (1, 31):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            client = sign_in(moderator)
            response = client.post(SECOND_FACTOR, {"code": f"{code[:3]} {code[3:]}"})
            assert NOT_RIGHT in text_of(response)
            assert client.get("/desk/queue").status_code == 303


def test_wrong_code_is_in_the_audit_and_five_are_enough(moderator: Staff, sign_in: SignIn) -> None:
    secret = add_app(moderator)
    client = sign_in(moderator)
    for _ in range(5):
        assert NOT_RIGHT in text_of(client.post(SECOND_FACTOR, {"code": "nonsense"}))

    assert "There were too many tries." in text_of(client.post(SECOND_FACTOR, {"code": code_of(secret)}))
    assert facts("staff.sign-in-failed") == [{"step": "second-factor"}] * 5


def test_recovery_code_stands_in_once(moderator: Staff, sign_in: SignIn) -> None:
    add_app(moderator)
    code = Authenticator.objects.get(user=moderator, type="recovery_codes").wrap().get_unused_codes()[0]

    client = sign_in(moderator)
    client.post(SECOND_FACTOR, {"code": f"{code[:4]} {code[4:]}"})
    assert client.get("/desk/queue").status_code == 200
    again = sign_in(moderator)
    assert NOT_RIGHT in text_of(again.post(SECOND_FACTOR, {"code": code}))


def test_somebody_with_a_passkey_only_is_asked_for_it(moderator: Staff, sign_in: SignIn) -> None:
    add_passkey(moderator)
    client = sign_in(moderator)

    assert client.get("/desk/queue").status_code == 303


def test_wrong_passkey_is_refused_and_in_the_audit(moderator: Staff, sign_in: SignIn) -> None:
    add_app(moderator)
    client = sign_in(moderator)
    response = client.post(SECOND_FACTOR, {"credential": "{}"})

    assert response.status_code == 400
    assert facts("staff.sign-in-failed") == [{"step": "passkey"}]


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", '{"id": 1}', "x", '{"response": {"userHandle": "zzz"}}'])
def test_nonsense_instead_of_a_passkey_signs_nobody_in(moderator: Staff, stranger: Client, sent: str) -> None:
    stranger.get("/desk/sign-in/passkey", HTTP_ACCEPT="application/json")
    response = stranger.post("/desk/sign-in/passkey", {"credential": sent})

    assert (response.status_code, response.headers["Location"]) == (303, "/desk/sign-in")
    assert "This server does not know that passkey." in text_of(stranger.get("/desk/sign-in"))
    assert stranger.get("/desk/queue").status_code == 303


def test_passkey_questions_are_not_given_without_end(stranger: Client, db: None) -> None:
    statuses = [stranger.get("/desk/sign-in/passkey").status_code for _ in range(31)]

    assert statuses == [200] * 30 + [429]


def test_setting_up_an_app_gives_recovery_codes_and_ends_the_other_sessions(moderator: Staff, sign_in: SignIn) -> None:
    here, elsewhere = sign_in(moderator), sign_in(moderator)
    secret = shown_secret(here.get("/desk/account/app").content)
    response = here.post("/desk/account/app", {"code": code_of(secret)})

    assert response.headers["Location"] == "/desk/account/recovery-codes"
    assert len(re.findall(r"<code>\d{4} \d{4}</code>", here.get(response.headers["Location"]).content.decode())) == 10
    assert here.get("/desk/queue").status_code == 200
    assert elsewhere.get("/desk/queue").status_code == 303
    assert facts("staff.second-factor-added") == [{"kind": "totp"}]


def shown_secret(page: bytes) -> str:
    found = re.search(rb'<code class="secret"[^>]*>([A-Z2-7 ]+)</code>', page)
    assert found is not None
    return found[1].decode().replace(" ", "")


def test_setting_up_an_app_with_a_wrong_code_keeps_the_drawing(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    secret = shown_secret(client.get("/desk/account/app").content)
    response = client.post("/desk/account/app", {"code": "000000x"})

    assert response.status_code == 400
    assert shown_secret(response.content) == secret


def test_secrets_are_locked_in_the_database(moderator: Staff) -> None:
    secret = add_app(moderator)

    for kind, name in (("totp", "secret"), ("recovery_codes", "seed")):
        kept = str(stored(moderator, kind)[name])
        assert kept.startswith("gAAAA")
        assert secret not in kept


def test_another_secret_key_is_said_and_breaks_nothing(moderator: Staff, sign_in: SignIn, settings: Settings) -> None:
    secret = add_app(moderator)
    settings.SECRET_KEY = "quite another key, which the owner put in its place"
    client = sign_in(moderator)
    response = client.post(SECOND_FACTOR, {"code": code_of(secret)})

    assert response.status_code == 400
    assert "foyer staff reset-second-factor" in text_of(response)


def test_recovery_codes_of_another_secret_key_are_replaced(
    moderator: Staff, sign_in: SignIn, settings: Settings
) -> None:
    client = sign_in(moderator)
    add_app(moderator)
    Authenticator.objects.filter(user=moderator, type="recovery_codes").update(data={"seed": "other", "used_mask": 0})

    assert client.get("/desk/account/recovery-codes").headers["Location"] == "/desk/account/recovery-codes/new"
    assert client.get("/desk/account/recovery-codes/new").status_code == 200
    client.post("/desk/account/recovery-codes/new")
    assert client.get("/desk/account/recovery-codes").status_code == 200
    assert facts("staff.recovery-codes-made") == [{}]


def test_recovery_codes_can_be_downloaded(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    add_app(moderator)
    response = client.get("/desk/account/recovery-codes/download")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert len(re.findall(rb"^\d{4} \d{4}$", response.content, re.MULTILINE)) == 10


def test_changing_second_factors_later_asks_for_the_password_again(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    add_app(moderator)
    began = now()
    with time_machine.travel(began + timedelta(minutes=6), tick=False):
        for path in ("/desk/account/app/remove", "/desk/account/recovery-codes", "/desk/account/passkeys/add"):
            assert client.get(path).headers["Location"].startswith("/desk/account/confirm?next=")
        path = "/desk/account/recovery-codes"
        asked = client.get(path).headers["Location"]
        assert "That is not your password." in text_of(client.post(asked, {"password": "wrong"}))
        assert client.post(asked, {"password": PASSWORD}).headers["Location"] == path
        assert client.get(path).status_code == 200
    assert facts("staff.confirm-failed") == [{"step": "password"}]


def test_confirming_by_code(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    secret = add_app(moderator)
    with time_machine.travel(now() + timedelta(minutes=6), tick=False):
        path = "/desk/account/confirm/code?next=/desk/account/app/remove"
        assert client.get(path).status_code == 200
        assert NOT_RIGHT in text_of(client.post(path, {"code": "x"}))
        assert client.post(path, {"code": code_of(secret)}).headers["Location"] == "/desk/account/app/remove"


def test_removing_the_app_takes_the_recovery_codes_too(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    add_app(moderator)
    assert client.get("/desk/account/app/remove").status_code == 200
    client.post("/desk/account/app/remove")

    assert not Authenticator.objects.filter(user=moderator).exists()
    assert facts("staff.second-factor-removed") == [{"kind": "totp"}]


@pytest.mark.parametrize("kind", ["app", "passkey"])
def test_last_second_factor_stays_where_everybody_needs_one(
    moderator: Staff, sign_in: SignIn, configure: Configure, kind: str
) -> None:
    client = sign_in(moderator)
    path = "/desk/account/app/remove"
    if kind == "app":
        add_app(moderator)
    else:
        path = f"/desk/account/passkeys/{add_passkey(moderator).pk}/remove"
        Authenticator.objects.filter(user=moderator).update(data={"name": "Phone", "credential": {}})
    configure(staff={"second_factor": "required"})
    client.post(path)

    assert queries.has_second_factor(moderator)
    assert facts("staff.second-factor-removed") == []


def test_nobody_touches_the_passkey_of_somebody_else(moderator: Staff, admin: Staff, sign_in: SignIn) -> None:
    key = add_passkey(admin)
    client = sign_in(moderator)

    for path in (f"/desk/account/passkeys/{key.pk}", f"/desk/account/passkeys/{key.pk}/remove"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get(pk=key.pk).data["name"] == "Phone"


def test_required_second_factor_is_asked_for_before_anything_else(
    moderator: Staff, admin: Staff, sign_in: SignIn, configure: Configure
) -> None:
    configure(staff={"second_factor": "required"})
    client = sign_in(admin)

    for path in ("/desk/queue", "/desk/rules", "/desk/unmarked", "/admin/", "/admin/unmarked"):
        assert client.get(path).headers["Location"] == "/desk/account"
        assert client.post(path, HTTP_ACCEPT="application/json").json()["code"] == "second-factor-missing"
    assert "This server asks everybody here for a second factor" in text_of(client.get("/desk/account"))

    secret = shown_secret(client.get("/desk/account/app").content)
    client.post("/desk/account/app", {"code": code_of(secret)})
    for path in ("/desk/queue", "/desk/rules", "/admin/"):
        assert client.get(path).status_code == 200


def test_required_second_factor_counts_from_the_next_page_on(
    moderator: Staff, sign_in: SignIn, configure: Configure
) -> None:
    client = sign_in(moderator)
    assert client.get("/desk/queue").status_code == 200
    configure(staff={"second_factor": "required"})

    assert client.get("/desk/queue").headers["Location"] == "/desk/account"


def test_reset_of_the_second_factor_lets_the_password_in_and_ends_the_sessions(
    moderator: Staff, sign_in: SignIn
) -> None:
    client = sign_in(moderator)
    add_app(moderator)
    add_passkey(moderator)

    assert services.reset_second_factor(moderator, actor=Actor.command_line()) == 2
    assert client.get("/desk/queue").status_code == 303
    assert sign_in(moderator).get("/desk/queue").status_code == 200
    assert facts("staff.second-factor-reset") == [{"kinds": ["recovery_codes", "totp", "webauthn"]}]
