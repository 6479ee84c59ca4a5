"""matrix-registration 0.9's API, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

import foyer
from foyer.audit.models import Event
from foyer.invites import services
from foyer.invites.models import Invite, Use
from foyer.kit.clock import now
from foyer.screening import limits
from tests.conftest import Configure
from tests.legacy.conftest import SECRET, Asker, MakeInvite

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WRONG_SECRET = {"errcode": "MR_BAD_SECRET", "error": "wrong shared secret"}
NOT_FOUND = {"errcode": "MR_TOKEN_NOT_FOUND", "error": "token does not exist"}
BAD_DATE = {"errcode": "MR_BAD_DATE_FORMAT", "error": "date wasn't in YYYY-MM-DD format"}
FIXED = {"errcode": "MR_BAD_USER_REQUEST", "error": "you're not allowed to change this property"}
ROUTES = [
    ("GET", "/api/version"),
    ("GET", "/api/token"),
    ("POST", "/api/token"),
    ("GET", "/api/token/DoubleWizardSki"),
    ("PATCH", "/api/token/DoubleWizardSki"),
    ("DELETE", "/api/token/DoubleWizardSki"),
    ("GET", "/token"),
    ("POST", "/token"),
    ("GET", "/token/DoubleWizardSki"),
    ("PUT", "/token/DoubleWizardSki"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "authorization", ["", "SharedSecret", "SharedSecret wrong", f"Bearer {SECRET}", SECRET, "SharedSecret äöü"]
)
def test_route_without_the_secret_is_401(
    ask: Asker, make_invite: MakeInvite, method: str, path: str, authorization: str
) -> None:
    make_invite()
    ask.authorization = authorization

    response = ask(method, path, {"max_usage": 1})

    assert response.status_code == 401
    assert response.json() == WRONG_SECRET
    assert response["WWW-Authenticate"] == 'SharedSecret realm="Authentication Required"'
    assert Invite.objects.count() == 1


@pytest.mark.parametrize("scheme", ["SharedSecret", "sharedsecret", "SHAREDSECRET"])
def test_scheme_in_any_case_is_accepted(ask: Asker, scheme: str) -> None:
    ask.authorization = f"{scheme} {SECRET}"

    assert ask("GET", "/api/token").status_code == 200


def test_secret_with_other_letters_is_compared_byte_by_byte(ask: Asker, configure: Configure) -> None:
    configure(api={"legacy_shared_secret": "schlüssel €"})
    ask.authorization = "SharedSecret schlüssel €".encode().decode("latin-1")

    assert ask("GET", "/api/token").status_code == 200


@pytest.mark.parametrize("authorization", ["", "SharedSecret ", "SharedSecret None"])
def test_closed_api_is_401_and_the_log_has_the_remedy(
    ask: Asker, configure: Configure, caplog: pytest.LogCaptureFixture, authorization: str
) -> None:
    configure()
    ask.authorization = authorization

    response = ask("GET", "/api/token")

    assert response.status_code == 401
    assert response.json() == WRONG_SECRET
    assert "api.legacy_shared_secret" in caplog.text


def test_wrong_secrets_are_limited_and_the_right_one_waits_too(ask: Asker, configure: Configure) -> None:
    configure(api={"legacy_shared_secret": SECRET}, trusted_proxies=["127.0.0.1"], screening={"limits": True})
    limits.reset()
    guesser, owner = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
    ask.authorization = "SharedSecret wrong"
    statuses = [ask("GET", "/api/token", **guesser).status_code for _ in range(12)]
    ask.authorization = f"SharedSecret {SECRET}"
    right = ask("GET", "/api/token", **guesser)

    assert statuses == [401] * 10 + [429] * 2
    assert right.status_code == 429
    assert right.json()["errcode"] == "M_LIMIT_EXCEEDED"
    assert right.json()["retry_after_ms"] == int(right["Retry-After"]) * 1000
    assert ask("GET", "/api/token", **owner).status_code == 200


def test_version_is_ours(ask: Asker) -> None:
    assert ask("GET", "/api/version").json() == {"version": foyer.__version__}


def test_list_without_tokens_is_an_empty_array(ask: Asker) -> None:
    response = ask("GET", "/api/token")

    assert (response.status_code, response.json()) == (200, [])
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"


def test_list_has_every_token_with_every_property(ask: Asker, make_invite: MakeInvite) -> None:
    invite = make_invite(uses_limit=3, used=2, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    for number, ip in enumerate(["192.0.2.1", "2001:db8::1", "192.0.2.1", None]):
        Use.objects.create(invite=invite, code=invite.code, holder=f"account:{number}", spent_at=now(), ip=ip)
    Use.objects.create(invite=invite, code=invite.code, holder="account:9", ip="192.0.2.9")  # only held
    make_invite(code="an.own_code~1", uses_limit=None, revoked_at=now())

    assert ask("GET", "/api/token").json() == [
        {
            "active": True,
            "disabled": False,
            "expiration_date": "2030-01-01 00:00:00",
            "ips": ["192.0.2.1", "2001:db8::1"],
            "max_usage": 3,
            "name": "DoubleWizardSki",
            "used": 2,
        },
        {
            "active": False,
            "disabled": True,
            "expiration_date": None,
            "ips": [],
            "max_usage": 0,
            "name": "an.own_code~1",
            "used": 0,
        },
    ]


def test_list_of_many_tokens_is_complete_and_in_order(ask: Asker) -> None:
    names = [f"code{number:04}" for number in range(1_100)]
    Invite.objects.bulk_create([Invite(code=name, created_by="test") for name in names])

    assert [token["name"] for token in ask("GET", "/api/token").json()] == names


@pytest.mark.parametrize(
    ("facts", "active"),
    [
        ({"uses_limit": None, "used": 99}, True),
        ({"uses_limit": 2, "used": 1}, True),
        ({"uses_limit": 2, "used": 2}, False),
        ({"uses_limit": 0}, False),
        ({"expires_at": now() - timedelta(seconds=1)}, False),
        ({"expires_at": now() + timedelta(hours=1)}, True),
        ({"revoked_at": now()}, False),
    ],
)
def test_token_is_active_as_the_predecessor_counts(
    ask: Asker, make_invite: MakeInvite, facts: dict[str, object], active: bool
) -> None:
    make_invite(**facts)

    assert ask("GET", "/api/token/DoubleWizardSki").json()["active"] is active


@pytest.mark.parametrize(
    ("body", "max_usage", "expiration_date"),
    [
        ({"max_usage": 5}, 5, None),
        ({"max_usage": 0}, 0, None),
        ({"max_usage": True}, 1, None),
        ({"max_usage": False}, 0, None),
        ({"max_usage": "7"}, 7, None),
        ({"max_usage": 2.0}, 2, None),
        ({"max_usage": None}, 0, None),
        ({"expiration_date": "2030-01-01"}, 0, "2030-01-01 00:00:00"),
        ({"expiration_date": "2030-01-01 12:30"}, 0, "2030-01-01 12:30:00"),
        ({"expiration_date": "2030-01-01T12:30:15.5"}, 0, "2030-01-01 12:30:15.500000"),
        ({"expiration_date": "2030-01-01T12:30:00Z"}, 0, "2030-01-01 12:30:00"),
        ({"expiration_date": "2030-01-01T12:30:00+02:00"}, 0, "2030-01-01 10:30:00"),
        ({"expiration_date": None}, 0, None),
        ({"anything": "else"}, 0, None),
        ({"name": "IgnoredHere", "max_usage": 1}, 1, None),
    ],
)
def test_create_returns_the_token(
    ask: Asker, body: dict[str, object], max_usage: int, expiration_date: str | None
) -> None:
    response = ask("POST", "/api/token", body)
    token = response.json()

    assert response.status_code == 200
    assert token == {
        "active": True,
        "disabled": False,
        "expiration_date": expiration_date,
        "ips": [],
        "max_usage": max_usage,
        "name": Invite.objects.get().code,
        "used": 0,
    }
    assert ask("GET", f"/api/token/{token['name']}").json() == token
    assert Event.objects.get().actor == "key:legacy"


def test_create_ignores_the_defaults_of_our_invitations(ask: Asker, configure: Configure) -> None:
    configure(api={"legacy_shared_secret": SECRET}, invitations={"uses": 1, "expires": "1d"})

    token = ask("POST", "/api/token", {"x": 1}).json()

    assert (token["max_usage"], token["expiration_date"]) == (0, None)


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b"null", b"[]", b"0", b'""'])
def test_create_without_data_is_400(ask: Asker, body: bytes) -> None:
    response = ask("POST", "/api/token", body)

    assert response.status_code == 400
    assert response.json() == {"errcode": "MR_BAD_USER_REQUEST", "error": "no data was sent"}


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 50_000, b"max_usage=1"])
def test_create_with_something_else_is_400(ask: Asker, body: bytes) -> None:
    response = ask("POST", "/api/token", body)

    assert response.status_code == 400
    assert response.json() == {"errcode": "MR_BAD_USER_REQUEST", "error": "malformed request"}


@pytest.mark.parametrize(
    "date", ["", "soon", "01.01.2030", "2030-13-01", "2030-02-30", 20300101, True, [], "9999-12-31T23:59:59-01:00"]
)
def test_create_with_a_bad_date_is_400(ask: Asker, date: object) -> None:
    response = ask("POST", "/api/token", {"expiration_date": date})

    assert (response.status_code, response.json()) == (400, BAD_DATE)
    assert not Invite.objects.exists()


@pytest.mark.parametrize("count", ["abc", "", -1, 1.5, 2**31, "99999999999", [], {}, float("nan"), float("inf")])
def test_max_usage_that_is_no_number_is_400_and_never_stored(
    ask: Asker, make_invite: MakeInvite, count: object
) -> None:
    make_invite()
    made = ask("POST", "/api/token", {"max_usage": count})
    changed = ask("PATCH", "/api/token/DoubleWizardSki", {"max_usage": count})

    assert (made.status_code, changed.status_code) == (400, 400)
    assert made.json()["errcode"] == changed.json()["errcode"] == "MR_BAD_USER_REQUEST"
    assert [token["max_usage"] for token in ask("GET", "/api/token").json()] == [1]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["Unknown", "not%20a%20code", "%00", "x" * 300, "..%2f..", "🦊"])
def test_unknown_token_is_404(ask: Asker, method: str, name: str) -> None:
    response = ask(method, f"/api/token/{name}", {} if method == "PATCH" else None)

    assert response.status_code == 404
    if "%2f" not in name:
        assert response.json() == NOT_FOUND
    assert json.loads(response.content)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"expiration_date": "2031-05-06"}, {"expiration_date": "2031-05-06 00:00:00"}),
        ({"expiration_date": "2031-05-06 07:08:09"}, {"expiration_date": "2031-05-06 07:08:09"}),
        ({"expiration_date": None}, {"expiration_date": None}),
        ({"expiration_date": "2001-01-01"}, {"expiration_date": "2001-01-01 00:00:00", "active": False}),
        ({"max_usage": 9}, {"max_usage": 9}),
        ({"max_usage": True}, {"max_usage": 1, "active": False}),
        ({"max_usage": False}, {"max_usage": 0}),
        ({"used": 3}, {"used": 3, "active": False}),
        ({"used": 2}, {"used": 2}),
        ({"disabled": True}, {"disabled": True, "active": False}),
        ({"disabled": False}, {}),
        ({"disabled": True, "max_usage": 4}, {"disabled": True, "active": False, "max_usage": 4}),
        ({}, {}),
        ({"anything": "else"}, {}),
    ],
)
def test_patch_changes_what_was_sent_and_nothing_else(
    ask: Asker, make_invite: MakeInvite, body: dict[str, object], changed: dict[str, object]
) -> None:
    make_invite(uses_limit=3, used=1, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    before = ask("GET", "/api/token/DoubleWizardSki").json()

    response = ask("PATCH", "/api/token/DoubleWizardSki", body)

    assert (response.status_code, response.json()) == (200, {**before, **changed})
    assert ask("GET", "/api/token/DoubleWizardSki").json() == {**before, **changed}


def test_patch_without_a_body_changes_nothing(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite()

    assert ask("PATCH", "/api/token/DoubleWizardSki").status_code == 200
    assert [event.verb for event in Event.objects.order_by("id")] == ["invite.created"]


def test_patch_that_disables_and_enables_is_in_the_audit_as_that(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite()
    for disabled in (True, True, False, False):
        assert ask("PATCH", "/api/token/DoubleWizardSki", {"disabled": disabled}).json()["disabled"] is disabled

    verbs = [event.verb for event in Event.objects.order_by("id")]
    assert verbs == ["invite.created", "invite.revoked", "invite.restored"]


@pytest.mark.parametrize("name", ["DoubleWizardSki", "Unknown"])
@pytest.mark.parametrize("key", ["ips", "active", "name"])
def test_patch_of_what_is_fixed_is_400_before_existence_is_looked_at(
    ask: Asker, make_invite: MakeInvite, name: str, key: str
) -> None:
    make_invite()

    response = ask("PATCH", f"/api/token/{name}", {key: "x", "max_usage": 5})

    assert (response.status_code, response.json()) == (400, FIXED)
    assert Invite.objects.get().uses_limit == 1


@pytest.mark.parametrize("body", [{"used": -1}, {"used": None}, {"used": "x"}, {"disabled": "yes"}, {"disabled": None}])
def test_patch_with_a_bad_value_is_400(ask: Asker, make_invite: MakeInvite, body: dict[str, object]) -> None:
    make_invite()

    response = ask("PATCH", "/api/token/DoubleWizardSki", {"max_usage": 7, **body})

    assert response.status_code == 400
    assert response.json()["errcode"] == "MR_BAD_USER_REQUEST"
    assert Invite.objects.get().uses_limit == 1


def test_patch_with_a_bad_date_is_400(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite()

    response = ask("PATCH", "/api/token/DoubleWizardSki", {"expiration_date": "soon"})

    assert (response.status_code, response.json()) == (400, BAD_DATE)


def test_delete_says_success_as_a_string(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite()

    first = ask("DELETE", "/api/token/DoubleWizardSki")
    second = ask("DELETE", "/api/token/DoubleWizardSki")

    assert (first.status_code, first.json()) == (200, {"success": "true"})
    assert (second.status_code, second.json()) == (404, NOT_FOUND)


def test_deleted_token_keeps_who_came_by_it(ask: Asker, make_invite: MakeInvite) -> None:
    invite = make_invite()
    services.reserve(invite.code, holder="account:1")
    services.complete(holder="account:1")

    ask("DELETE", "/api/token/DoubleWizardSki")

    assert Use.objects.get().code == "DoubleWizardSki"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/token", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/api/token", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/api/token/DoubleWizardSki", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/api/version", "GET, HEAD, OPTIONS"),
        ("PATCH", "/token", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/token/DoubleWizardSki", "GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_method_that_is_not_known_is_405_in_json(ask: Asker, method: str, path: str, allowed: str) -> None:
    response = ask(method, path)

    assert response.status_code == 405
    assert response.json()["errcode"] == "M_UNRECOGNIZED"
    assert response["Allow"] == allowed


def test_address_that_is_not_known_is_404_in_json(client: Client) -> None:
    for path in ("/api/nothing", "/api/token/a/b", "/token/a/b"):
        response = client.get(path, headers={"Accept": "*/*"})
        assert response.status_code == 404
        assert response.json()["code"] == "not-found"


def test_body_that_is_too_large_is_413_in_json(ask: Asker) -> None:
    response = ask("POST", "/api/token", b"x" * 70_000)

    assert response.status_code == 413
    assert response.json()["code"] == "body-too-large"
