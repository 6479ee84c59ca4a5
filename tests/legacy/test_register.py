"""POST /register as matrix-registration answers it, row by row."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from foyer.accounts.models import Account
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.homeserver.port import PasswordPolicy
from foyer.invites.models import Invite, Use
from foyer.kit.clock import now
from foyer.names import services as names
from foyer.screening import limits
from tests.conftest import Configure
from tests.legacy.conftest import MakeInvite

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

GOOD = {"username": "test", "password": "verysecure", "confirm": "verysecure", "token": "DoubleWizardSki"}
LENGTH = "Field must be between 1 and 200 characters long."
PATTERN = (
    r"Username doesn't follow mxid pattern: /^(?P<at>@)?(?P<username>[a-zA-Z_\-=\.\/0-9]+)"
    r"(?P<server_name>:example\.test)?$/"
)
SHORT_OR_LONG = "Password should be between 8 and 255 chars long"


@pytest.fixture
def door(client: Client, homeserver: MemoryHomeserver) -> Client:
    """A client of a Foyer whose homeserver lives in memory."""
    return client


def post(door: Client, **changes: Any) -> Answer:
    """Post the form as curl -F does; a field that is None is left out."""
    form = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return door.post("/register", form, headers={"Accept": "*/*"})


def refusal(response: Answer) -> tuple[int, str, object, str]:
    """Return status, errcode, error and our code, after looking at what is always so."""
    content = json.loads(response.content)
    assert response["Content-Type"] == "application/json"
    assert content["foyer"].keys() == {"code", "sentence"}
    assert content["reason"] == content["foyer"]["code"]
    assert content["foyer"]["sentence"]
    return response.status_code, content["errcode"], content["error"], content["reason"]


def wrong(error: dict[str, list[str]], code: str) -> tuple[int, str, object, str]:
    """Return what `refusal` returns for a form that the predecessor refuses."""
    return 400, "MR_BAD_USER_REQUEST", error, code


def test_good_form_makes_an_account_and_answers_as_the_predecessor(
    door: Client, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()

    response = post(door)
    content = json.loads(response.content)

    assert response.status_code == 200
    assert content == {
        "access_token": content["access_token"],
        "home_server": "example.test",
        "status": "success",
        "status_code": 200,
        "user_id": "@test:example.test",
    }
    assert homeserver.accounts["test"].devices == {content["access_token"]}
    assert homeserver.accounts["test"].password == "verysecure"
    assert response["Cache-Control"] == "no-store"
    assert Invite.objects.get().used == 1


def test_urlencoded_form_is_read(door: Client, make_invite: MakeInvite) -> None:
    make_invite()
    body = "username=test&password=verysecure&confirm=verysecure&token=DoubleWizardSki"

    response = door.generic("POST", "/register", body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_json_body_is_read(door: Client, make_invite: MakeInvite, content_type: str) -> None:
    make_invite()

    response = door.generic("POST", "/register", json.dumps(GOOD), content_type=content_type)

    assert response.status_code == 200


@pytest.mark.parametrize("body", ["{", "[]", "null", "1", '"x"', "[" * 30_000, "\x00"])
def test_json_body_that_is_no_object_is_400(door: Client, body: str) -> None:
    response = door.generic("POST", "/register", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json() == {"errcode": "MR_BAD_USER_REQUEST", "error": "malformed request"}


def test_json_field_that_is_no_text_is_400(door: Client, make_invite: MakeInvite) -> None:
    make_invite()
    body = json.dumps({**GOOD, "password": 12345678, "confirm": 12345678})

    response = door.generic("POST", "/register", body, content_type="application/json")

    assert refusal(response) == wrong({"password": ["Invalid input."], "confirm": ["Invalid input."]}, "not-text")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "nonsense", ""]
)
def test_body_of_another_kind_is_400(door: Client, content_type: str) -> None:
    response = door.generic("POST", "/register", b"--nothing\r\nof a kind", content_type=content_type)

    assert response.status_code == 400
    assert response.json()["errcode"] == "MR_BAD_USER_REQUEST"


@pytest.mark.parametrize(
    ("missing", "error", "code"),
    [
        ("username", {"username": [LENGTH, PATTERN]}, "name-missing"),
        ("password", {"password": ["This field is required."]}, "password-missing"),
        ("confirm", {"password": ["Passwords must match"]}, "passwords-differ"),
        ("token", {"token": ["Invalid input.", "Token is invalid"]}, "invite-missing"),
    ],
)
def test_missing_field_is_400(
    door: Client, make_invite: MakeInvite, missing: str, error: dict[str, list[str]], code: str
) -> None:
    make_invite()

    assert refusal(post(door, **{missing: None})) == wrong(error, code)
    assert refusal(post(door, **{missing: ""})) == wrong(error, code)


def test_empty_form_names_every_field(door: Client, db: None) -> None:
    response = door.post("/register", {}, headers={"Accept": "application/json"})

    assert refusal(response) == wrong(
        {
            "username": [LENGTH, PATTERN],
            "password": ["This field is required."],
            "token": ["Invalid input.", "Token is invalid"],
        },
        "name-missing",
    )


@pytest.mark.parametrize(
    ("username", "messages", "code"),
    [
        ("a b", [PATTERN], "name-malformed"),
        ("user!", [PATTERN], "name-malformed"),
        ("mäx", [PATTERN], "name-malformed"),
        ("a\x00b", [PATTERN], "name-malformed"),
        ("@user:elsewhere.test", [PATTERN], "name-elsewhere"),
        ("user:example.test.evil", [PATTERN], "name-elsewhere"),
        ("a" * 201, [LENGTH], "name-too-long"),
        ("!" * 201, [LENGTH, PATTERN], "name-too-long"),
    ],
)
def test_username_that_cannot_be_one_is_400(
    door: Client, make_invite: MakeInvite, username: str, messages: list[str], code: str
) -> None:
    make_invite()

    assert refusal(post(door, username=username)) == wrong({"username": messages}, code)


@pytest.mark.parametrize("username", ["test", "@test", "test:example.test", "@test:example.test", "TEST", " test "])
def test_username_in_every_accepted_form_is_the_localpart(door: Client, make_invite: MakeInvite, username: str) -> None:
    make_invite()

    assert json.loads(post(door, username=username).content)["user_id"] == "@test:example.test"


@pytest.mark.parametrize(
    ("rules", "message", "code"),
    [
        ({"must_match": ["[a-z]+", "x.*"]}, "Username does not follow custom pattern /x.*/", "name-forbidden"),
        ({"must_not_match": ["admin.*", "te.t"]}, "Username must not follow custom pattern /te.t/", "name-forbidden"),
        ({"reserved": ["test"]}, "This user name is reserved. Choose another one.", "name-reserved"),
    ],
)
def test_username_against_the_owners_rules_is_400(
    door: Client, make_invite: MakeInvite, configure: Configure, rules: dict[str, Any], message: str, code: str
) -> None:
    configure(usernames=rules)
    make_invite()

    assert refusal(post(door)) == wrong({"username": [message]}, code)


@pytest.mark.parametrize(
    ("password", "confirm", "messages", "code"),
    [
        ("short", "short", [SHORT_OR_LONG], "password-too-short"),
        ("short", "other", [SHORT_OR_LONG, "Passwords must match"], "password-too-short"),
        ("x" * 256, "x" * 256, [SHORT_OR_LONG], "password-too-long"),
        ("verysecure", "verysecurf", ["Passwords must match"], "passwords-differ"),
        ("", "verysecure", ["This field is required."], "password-missing"),
    ],
)
def test_password_that_will_not_do_is_400(
    door: Client, make_invite: MakeInvite, password: str, confirm: str, messages: list[str], code: str
) -> None:
    make_invite()

    assert refusal(post(door, password=password, confirm=confirm)) == wrong({"password": messages}, code)


def test_length_of_passwords_is_the_owners(door: Client, make_invite: MakeInvite, configure: Configure) -> None:
    configure(password={"min_length": 12})
    make_invite()

    assert refusal(post(door)) == wrong(
        {"password": ["Password should be between 12 and 255 chars long"]}, "password-too-short"
    )


def test_easy_password_is_advised_against_elsewhere_and_accepted_here(door: Client, make_invite: MakeInvite) -> None:
    make_invite()

    assert post(door, password="password", confirm="password").status_code == 200


def test_password_against_the_homeservers_policy_is_400(
    door: Client, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    homeserver.policy = PasswordPolicy(digit=True)
    make_invite()

    assert refusal(post(door)) == wrong({"password": ["Use at least one digit."]}, "password-refused")
    assert Invite.objects.get().used == 0


@pytest.mark.parametrize(
    ("facts", "code", "sentence"),
    [
        ({"used": 1}, "invite-spent", "This invitation has been used up."),
        ({"held": 1}, "invite-busy", "Somebody is joining with this invitation right now."),
        ({"expires_at": now() - timedelta(days=1)}, "invite-expired", "This invitation ended on"),
        ({"revoked_at": now()}, "invite-revoked", "This invitation was withdrawn."),
        ({"code": "Elsewhere"}, "invite-unknown", "We do not know this invitation."),
    ],
)
def test_token_that_lets_nobody_in_has_the_old_words_and_our_reason(
    door: Client, make_invite: MakeInvite, facts: dict[str, Any], code: str, sentence: str
) -> None:
    make_invite(**facts)

    response = post(door)

    assert refusal(response) == wrong({"token": ["Token is invalid"]}, code)
    assert json.loads(response.content)["foyer"]["sentence"].startswith(sentence)


@pytest.mark.parametrize("token", ["lower", "Double Wizard", "double-wizard", "DoubleWIZARD", "x" * 300, "\x00", "🦊"])
def test_token_of_another_form_that_is_not_there_is_invalid_input(
    door: Client, make_invite: MakeInvite, token: str
) -> None:
    make_invite()

    assert refusal(post(door, token=token)) == wrong(
        {"token": ["Invalid input.", "Token is invalid"]}, "invite-unknown"
    )


@pytest.mark.parametrize("code", ["lower", "own.code_1~-", "X" * 64])
def test_own_code_of_another_form_opens_the_door(door: Client, make_invite: MakeInvite, code: str) -> None:
    make_invite(code=code)

    assert post(door, token=code).status_code == 200


def test_own_code_that_is_over_is_no_invalid_input(door: Client, make_invite: MakeInvite) -> None:
    make_invite(code="own-code", used=1)

    assert refusal(post(door, token="own-code")) == wrong({"token": ["Token is invalid"]}, "invite-spent")


def test_token_for_another_name_is_an_error_of_the_name(door: Client, make_invite: MakeInvite) -> None:
    make_invite(localpart="maria")

    sentence = "This invitation is for the user name maria. Join with that name, or ask for another invitation."
    assert refusal(post(door)) == wrong({"username": [sentence]}, "invite-for-other-name")


def test_everything_wrong_is_told_at_once(door: Client, make_invite: MakeInvite) -> None:
    make_invite(used=1)

    response = post(door, username="a b", password="short", confirm="other")

    assert refusal(response) == wrong(
        {
            "username": [PATTERN],
            "password": [SHORT_OR_LONG, "Passwords must match"],
            "token": ["Token is invalid"],
        },
        "name-malformed",
    )


def test_name_that_is_taken_has_the_homeservers_words(
    door: Client, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    homeserver.create("test", "of somebody else")

    assert refusal(post(door)) == (400, "M_USER_IN_USE", "User ID already taken.", "name-taken")
    assert Invite.objects.get().used == Invite.objects.get().held == 0


def test_name_that_is_claimed_here_has_the_homeservers_words(door: Client, make_invite: MakeInvite) -> None:
    make_invite()
    names.claim("test", holder="application:1")

    assert refusal(post(door)) == (400, "M_USER_IN_USE", "User ID already taken.", "name-taken")


@pytest.mark.parametrize("username", ["_test", "12345"])
def test_name_that_the_homeserver_refuses_has_its_words(door: Client, make_invite: MakeInvite, username: str) -> None:
    make_invite()

    status, errcode, error, reason = refusal(post(door, username=username))

    assert (status, errcode, reason) == (400, "M_INVALID_USERNAME", "name-refused")
    assert isinstance(error, str)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.DOWN, "homeserver-unreachable"),
        (Fault.BUSY, "homeserver-busy"),
        (Fault.BROKEN, "outcome-unknown"),
        (Fault.MISCONFIGURED, "homeserver-misconfigured"),
    ],
)
def test_homeserver_that_does_not_do_it_is_503_with_when_to_come_back(
    door: Client, make_invite: MakeInvite, homeserver: MemoryHomeserver, fault: Fault, reason: str
) -> None:
    make_invite()
    homeserver.fail(fault, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")

    response = post(door)
    status, errcode, error, code = refusal(response)

    assert (status, errcode, code) == (503, "M_UNKNOWN", reason)
    assert error == json.loads(response.content)["foyer"]["sentence"]
    assert int(response["Retry-After"]) >= 5
    assert Invite.objects.get().used == 0


def test_homeserver_that_is_down_spends_nothing_and_a_retry_succeeds(
    door: Client, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    homeserver.fail(Fault.DOWN, "*")

    assert post(door).status_code == 503
    assert post(door).status_code == 200


def test_same_form_sent_again_is_let_in_without_a_token(door: Client, make_invite: MakeInvite) -> None:
    make_invite()
    post(door)

    response = post(door)

    assert response.status_code == 200
    assert json.loads(response.content)["access_token"] is None
    assert (Account.objects.count(), Invite.objects.get().used) == (1, 1)


def test_ip_is_kept_where_it_is_known(door: Client, make_invite: MakeInvite, configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"])
    make_invite(uses_limit=2)
    door.post("/register", GOOD, headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})
    door.post("/register", {**GOOD, "username": "other"})

    assert list(Use.objects.order_by("id").values_list("ip", flat=True)) == ["192.0.2.7", None]


def test_browser_gets_a_page_from_the_same_address(door: Client, make_invite: MakeInvite) -> None:
    make_invite(used=1)

    response = door.post("/register", GOOD, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response["Content-Type"].startswith("text/html")


def test_sentence_speaks_the_language_of_the_request_and_the_old_words_stay(
    door: Client, make_invite: MakeInvite
) -> None:
    make_invite(used=1)

    german = door.post("/register", GOOD, headers={"Accept-Language": "de-DE"}).json()

    assert german["error"] == {"token": ["Token is invalid"]}
    assert german["foyer"]["sentence"].startswith("Diese Einladung ist aufgebraucht.")


def test_tries_beyond_the_limit_are_429_with_when_to_come_back(
    door: Client, make_invite: MakeInvite, configure: Configure
) -> None:
    configure(trusted_proxies=["127.0.0.1"], screening={"join_per_ip": "3/minute"})
    limits.reset()
    make_invite(used=1)
    answers = [door.post("/register", GOOD, headers={"X-Forwarded-For": "198.51.100.9"}) for _ in range(4)]
    limits.reset()

    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    content = answers[3].json()
    assert refusal(answers[3])[1:] == ("M_LIMIT_EXCEEDED", content["foyer"]["sentence"], "too-many")
    assert content["retry_after_ms"] == int(answers[3]["Retry-After"]) * 1000
    assert 0 < int(answers[3]["Retry-After"]) <= 121


def test_pages_are_never_limited(door: Client, make_invite: MakeInvite, configure: Configure) -> None:
    configure(screening={"join_overall": "1/day", "join_per_ip": "1/day"})
    limits.reset()
    make_invite()

    statuses = {door.get("/register?token=DoubleWizardSki").status_code for _ in range(30)}

    assert statuses == {200}


def test_put_is_405_in_json(door: Client) -> None:
    response = door.put("/register", headers={"Accept": "*/*"})

    assert response.status_code == 405
    assert json.loads(response.content)
    assert "POST" in response["Allow"]


@pytest.mark.parametrize(("size", "status"), [(60_000, 400), (70_000, 413)])
def test_body_that_is_too_large_is_413_in_json(door: Client, db: None, size: int, status: int) -> None:
    response = post(door, username="a" * size)

    assert response.status_code == status
    assert json.loads(response.content)


def test_too_many_fields_are_400_in_json(door: Client, db: None) -> None:
    response = door.post("/register", {f"field{number}": "x" for number in range(200)}, headers={"Accept": "*/*"})

    assert response.status_code == 400
    assert json.loads(response.content)
