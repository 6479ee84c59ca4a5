"""The stub answers what Synapse answers, as far as a registration asks."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from dev.bench import stub
from dev.bench.rows import INVITATIONS, PAST, Table

ADMIN = "/_synapse/admin/v1/register"


def ask(accounts: stub.Accounts, method: str, path: str, body: dict[str, Any] | None = None) -> stub.Reply:
    return accounts.reply(method, path, json.dumps(body).encode() if body is not None else b"")


def register(accounts: stub.Accounts, name: str, *, secret: str = stub.SHARED_SECRET, nonce: str = "") -> stub.Reply:
    nonce = nonce or ask(accounts, "GET", ADMIN)[1]["nonce"]
    mac = hmac.new(secret.encode(), f"{nonce}\0{name}\0secret\0notadmin".encode(), hashlib.sha1).hexdigest()
    return ask(accounts, "POST", ADMIN, {"nonce": nonce, "username": name, "password": "secret", "mac": mac})


def sign_in(accounts: stub.Accounts, name: str, password: str) -> int:
    identifier = {"type": "m.id.user", "user": f"@{name}:localhost"}
    return ask(accounts, "POST", "/_matrix/client/v3/login", {"identifier": identifier, "password": password})[0]


def test_register_makes_an_account_once() -> None:
    accounts = stub.Accounts()

    status, answer = register(accounts, "maria")

    assert (status, answer["user_id"]) == (200, "@maria:localhost")
    assert register(accounts, "maria")[1]["errcode"] == "M_USER_IN_USE"
    assert ask(accounts, "GET", "/stub/accounts") == (200, {"accounts": 1})
    assert [sign_in(accounts, "maria", password) for password in ("secret", "guessed")] == [200, 403]


def test_register_with_a_wrong_secret_or_a_used_nonce_is_refused() -> None:
    accounts = stub.Accounts()

    assert register(accounts, "maria", secret="another")[0] == 403
    assert register(accounts, "maria", nonce="nonce-1") == (
        400,
        {"errcode": "M_UNKNOWN", "error": "unrecognised nonce"},
    )


def test_profile_tells_who_is_there() -> None:
    accounts = stub.Accounts()
    path = "/_matrix/client/v3/profile/%40maria%3Alocalhost"
    before = ask(accounts, "GET", path)[0]

    register(accounts, "maria")

    assert (before, ask(accounts, "GET", path)[0]) == (404, 200)


@pytest.mark.parametrize("table", [INVITATIONS, *PAST], ids=lambda table: str(table.name))
def test_row_has_a_value_for_each_column_and_another_for_each_number(table: Table) -> None:
    assert len(table.row(1)) == len(table.columns)
    assert table.row(1) != table.row(2)
