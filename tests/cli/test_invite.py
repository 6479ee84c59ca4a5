"""`foyer invite …`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from foyer.accounts.models import Account, State
from foyer.cli import local_time
from foyer.invites.models import Invite, Use
from foyer.jobs.models import Job
from foyer.kit.clock import now
from tests.cli.conftest import Foyer
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal whose clock is not UTC."""
    monkeypatch.setattr(local_time, "_NAMED", "Europe/Berlin")
    local_time.zone.cache_clear()
    yield
    local_time.zone.cache_clear()


def made(**facts: object) -> Invite:
    return Invite.objects.create(**{"code": "OurOwnCode", "created_by": "command-line", **facts})


def test_create_prints_the_link_alone(foyer: Foyer) -> None:
    said = foyer("invite", "create")
    invite = Invite.objects.get()
    assert said.status == 0
    assert said.out == f"http://localhost:5000/i/{invite.code}\n"


def test_create_takes_the_defaults_of_the_house(foyer: Foyer, configure: Configure) -> None:
    configure(invitations={"uses": 3, "expires": "2d"})
    foyer("invite", "create")
    invite = Invite.objects.get()
    assert invite.uses_limit == 3
    assert invite.expires_at is not None
    assert abs(invite.expires_at - now() - timedelta(days=2)) < timedelta(minutes=1)


def test_create_takes_unlimited_and_never_of_the_house(foyer: Foyer, configure: Configure) -> None:
    configure(invitations={"uses": "unlimited", "expires": "never"})
    foyer("invite", "create")
    invite = Invite.objects.get()
    assert (invite.uses_limit, invite.expires_at) == (None, None)


def test_create_with_everything_keeps_everything(foyer: Foyer, in_berlin: None) -> None:
    said = foyer(
        *("invite", "create", "--json", "--code", "DoubleWizardSki", "--uses", "5", "--expires", "2099-01-31"),
        *("--label", "for the choir", "--message", "Come in!", "--room", "#choir:example.test"),
        *("--room", "!abc:example.test", "--name", "@Maria:example.test", "--email", "Maria@EXAMPLE.org"),
        *("--inviter", "Anna"),
    )
    told = said.json
    assert said.status == 0
    assert datetime.fromisoformat(told.pop("created_at")).tzinfo is not None
    assert told == {
        "code": "DoubleWizardSki",
        "link": "http://localhost:5000/i/DoubleWizardSki",
        "uses": 5,
        "used": 0,
        "held": 0,
        "expires_at": "2099-01-31T22:59:59Z",
        "state": "open",
        "revoked_at": None,
        "label": "for the choir",
        "message": "Come in!",
        "rooms": ["#choir:example.test", "!abc:example.test"],
        "name": "maria",
        "email": "Maria@example.org",
        "inviter": "Anna",
        "mirror": None,
        "used_at_homeserver": 0,
        "created_by": "command-line",
    }


def test_create_unlimited_for_ever_is_null_in_json(foyer: Foyer) -> None:
    told = foyer("invite", "create", "--json", "--uses", "unlimited", "--expires", "never").json
    assert (told["uses"], told["expires_at"]) == (None, None)


def test_create_until_a_moment_with_its_zone(foyer: Foyer) -> None:
    told = foyer("invite", "create", "--json", "--expires", "2099-01-31T18:00:00+01:00").json
    assert told["expires_at"] == "2099-01-31T17:00:00Z"


def test_create_many_makes_as_many_links(foyer: Foyer) -> None:
    said = foyer("invite", "create", "--count", "3", "--label", "workshop")
    assert sorted(said.out.split()) == sorted(f"http://localhost:5000/i/{i.code}" for i in Invite.objects.all())
    assert len(foyer("invite", "create", "--count", "2", "--json").json) == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--uses", "0"], 2, "--uses 0: Write a whole number from 1 to 1000000, or unlimited."),
        (["--uses", "²"], 2, "--uses ²: Write a whole number from 1 to 1000000, or unlimited."),
        (["--uses", "many"], 2, "--uses many: Write a whole number from 1 to 1000000, or unlimited."),
        (
            ["--expires", "soon"],
            2,
            "--expires soon: Write how long, such as 12h or 7d, a day such as 2027-01-31, or never.",
        ),
        (["--expires", "2020-01-31"], 2, "--expires 2020-01-31: That has passed. Choose a later time."),
        (["--expires", "0d"], 2, "--expires 0d: That has passed. Choose a later time."),
        (
            ["--email", "maria@"],
            2,
            "--email maria@: This is not an email address: There must be something after the @-sign.",
        ),
        (
            ["--name", "Mária"],
            1,
            "Use small letters from a to z, digits, and the signs . _ = - / + for your user name.",
        ),
        (
            ["--name", "@maria:elsewhere.org"],
            1,
            "Accounts made here end in :example.test. Type only the part before the colon.",
        ),
        (["--code", "with space"], 1, "A code has 1 to 64 of these characters: A to Z, a to z, 0 to 9, and . _ ~ -"),
        (["--label", "x" * 201], 2, "--label (201 characters): Use at most 200."),
        (["--count", "2", "--code", "Own"], 2, "--code is for one invitation. Leave out --count."),
        (["--count", "2", "--email", "a@b.org"], 2, "--email is for one invitation. Leave out --count."),
        (["--send"], 2, "--send needs --email: to whom shall it go?"),
        (
            ["--send", "--email", "maria@example.org"],
            1,
            "This server cannot send mail yet: email.host is not set. Send the link yourself.",
        ),
    ],
)
def test_create_with_nonsense_says_what_is_meant_and_makes_nothing(
    foyer: Foyer, words: list[str], status: int, said: str
) -> None:
    found = foyer("invite", "create", *words)
    assert (found.status, found.err) == (status, said)
    assert Invite.objects.count() == 0


def test_create_with_a_room_that_is_none_is_refused(foyer: Foyer) -> None:
    said = foyer("invite", "create", "--room", "welcome")
    assert said.status == 2
    assert said.err.startswith("--room welcome: Write a room alias")


def test_create_a_code_twice_is_refused(foyer: Foyer) -> None:
    foyer("invite", "create", "--code", "Once")
    said = foyer("invite", "create", "--code", "Once")
    assert (said.status, said.err) == (1, "There is an invitation with the code Once already. Choose another code.")


def test_create_and_send_owes_the_mail(foyer: Foyer, configure: Configure) -> None:
    configure(email={"host": "127.0.0.1", "security": "none", "from": "join@example.test"})
    said = foyer("invite", "create", "--send", "--email", "maria@example.org")
    assert said.status == 0
    assert Job.objects.get().kind == "notify.email"


def test_list_without_any_says_how_to_make_one(foyer: Foyer) -> None:
    assert foyer("invite", "list").out == (
        "No invitation is open. `foyer invite create` makes one; `--all` lists the closed ones as well.\n"
    )
    assert foyer("invite", "list", "--all").out == "There are no invitations yet. `foyer invite create` makes one.\n"
    assert foyer("invite", "list", "--json").json == []


def test_list_shows_the_open_ones_and_with_all_every_one(foyer: Foyer) -> None:
    made(code="Open", uses_limit=2, used=1, label="the choir")
    made(code="Spent", uses_limit=1, used=1)
    made(code="Past", expires_at=now() - timedelta(days=1))
    made(code="Gone", revoked_at=now())
    assert [one["code"] for one in foyer("invite", "list", "--json").json] == ["Open"]
    states = {one["code"]: one["state"] for one in foyer("invite", "list", "--all", "--json").json}
    assert states == {"Open": "open", "Spent": "spent", "Past": "expired", "Gone": "revoked"}
    assert foyer("invite", "list").out.splitlines() == [
        "CODE  USED  EXPIRES  STATE  LABEL",
        "Open  1/2   never    open   the choir",
    ]


def test_list_is_cut_and_says_so(foyer: Foyer) -> None:
    for number in range(3):
        made(code=f"Code{number}")
    said = foyer("invite", "list", "--limit", "2")
    assert said.out.splitlines()[-1] == "… and 1 more. `--limit 0` shows all of them."
    assert len(foyer("invite", "list", "--limit", "0", "--json").json) == 3


def test_show_tells_who_came_by_it_in_the_time_of_this_terminal(foyer: Foyer, in_berlin: None) -> None:
    invite = made(uses_limit=2, used=1, held=1, expires_at=datetime(2099, 1, 31, 17, tzinfo=UTC))
    account = Account.objects.create(localpart="maria", state=State.OPEN)
    Use.objects.create(
        invite=invite, code=invite.code, holder=account.holder, spent_at=datetime(2026, 7, 1, 12, tzinfo=UTC)
    )
    Use.objects.create(invite=invite, code=invite.code, holder="account:999")
    said = foyer("invite", "show", "OurOwnCode")
    assert "Used:    1 of 2, 1 joining now" in said.out
    assert "Expires: 2099-01-31 18:00 CET" in said.out
    assert "  @maria:example.test  2026-07-01 14:00 CEST" in said.out
    assert "  (unknown)  joining now" in said.out
    assert foyer("invite", "show", "OurOwnCode", "--json").json["people"] == [
        {"matrix_id": "@maria:example.test", "joined_at": "2026-07-01T12:00:00Z"},
        {"matrix_id": None, "joined_at": None},
    ]


def test_show_never_steers_the_terminal(foyer: Foyer) -> None:
    made(label="red \033[31m\nnext line")
    assert "\033" not in foyer("invite", "show", "OurOwnCode").out
    assert "Label:   red  [31m next line" in foyer("invite", "show", "OurOwnCode").out


@pytest.mark.parametrize("command", ["show", "edit", "revoke", "restore", "delete", "link", "qr"])
def test_a_code_that_is_none_is_named(foyer: Foyer, command: str) -> None:
    options = ["--uses", "2"] if command == "edit" else ["--yes"] if command == "delete" else []
    said = foyer("invite", command, "Mistyped", *options)
    assert said.status == 1
    assert (
        said.err
        == "There is no invitation 'Mistyped'. Capitals count. `foyer invite list --all` shows those there are."
    )


def test_edit_changes_what_is_named_and_nothing_else(foyer: Foyer) -> None:
    made(uses_limit=1, label="old", message="stays", rooms=["#a:example.test"])
    said = foyer(
        *("invite", "edit", "OurOwnCode", "--uses", "unlimited", "--expires", "never", "--label", ""),
        *("--no-rooms", "--json"),
    )
    assert said.status == 0
    invite = Invite.objects.get()
    assert (invite.uses_limit, invite.label, invite.message, invite.rooms) == (None, "", "stays", [])
    assert said.json["uses"] is None


def test_edit_without_a_change_asks_for_one(foyer: Foyer) -> None:
    made()
    said = foyer("invite", "edit", "OurOwnCode")
    assert said.status == 2
    assert said.err.startswith("Say what to change")


def test_revoke_restore_and_delete(foyer: Foyer) -> None:
    made()
    made(code="Other")
    assert foyer("invite", "revoke", "OurOwnCode", "Other").out == "OurOwnCode is withdrawn.\nOther is withdrawn.\n"
    assert foyer("invite", "revoke", "OurOwnCode").out == "OurOwnCode was withdrawn before.\n"
    assert foyer("invite", "restore", "OurOwnCode").out == "OurOwnCode is open again.\n"
    assert foyer("invite", "restore", "OurOwnCode").out == "OurOwnCode was not withdrawn; it is open.\n"
    refused = foyer("invite", "delete", "OurOwnCode")
    assert refused.status == 1
    assert refused.err == "Delete OurOwnCode for good? Nobody is there to answer; add --yes to go ahead."
    assert foyer("invite", "delete", "OurOwnCode", "--yes").out == "OurOwnCode is deleted.\n"
    assert [invite.code for invite in Invite.objects.all()] == ["Other"]


def test_revoke_of_several_with_one_mistyped_changes_none(foyer: Foyer) -> None:
    made()
    assert foyer("invite", "revoke", "OurOwnCode", "Mistyped").status == 1
    assert Invite.objects.get().revoked_at is None


def test_link_has_two_forms_and_takes_a_pasted_one(foyer: Foyer) -> None:
    made()
    assert foyer("invite", "link", "OurOwnCode").out == "http://localhost:5000/i/OurOwnCode\n"
    plain = "http://localhost:5000/register?token=OurOwnCode"
    assert foyer("invite", "link", "--plain", "https://example.org/i/OurOwnCode").out == f"{plain}\n"
    assert foyer("invite", "link", "--plain", "OurOwnCode", "--json").json == {"code": "OurOwnCode", "link": plain}


def test_qr_is_drawn_here_or_written_to_a_file(foyer: Foyer, tmp_path: Path) -> None:
    made()
    drawn = foyer("invite", "qr", "OurOwnCode").out
    assert drawn.endswith("http://localhost:5000/i/OurOwnCode\n")
    assert len(drawn.splitlines()) > 10
    svg, png = tmp_path / "code.svg", tmp_path / "code.png"
    assert foyer("invite", "qr", "OurOwnCode", "--svg", str(svg)).out == f"Written to {svg}.\n"
    assert foyer("invite", "qr", "OurOwnCode", "--png", str(png)).out == f"Written to {png}.\n"
    assert b"<svg" in svg.read_bytes()
    assert png.read_bytes().startswith(b"\x89PNG")


def test_qr_into_a_folder_that_is_not_there_says_so(foyer: Foyer, tmp_path: Path) -> None:
    made()
    said = foyer("invite", "qr", "OurOwnCode", "--svg", f"{tmp_path}/nowhere/code.svg")
    assert (said.status, said.err) == (1, f"{tmp_path}/nowhere/code.svg: No such file or directory.")


def test_times_without_a_known_zone_are_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_time, "_NAMED", "No/Where")
    local_time.zone.cache_clear()
    try:
        assert local_time.shown(datetime(2027, 1, 31, 18, tzinfo=ZoneInfo("Europe/Berlin"))) == "2027-01-31 17:00 UTC"
    finally:
        local_time.zone.cache_clear()


def test_create_at_a_terminal_says_more(foyer: Foyer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    said = foyer("invite", "create", "--expires", "never", "--email", "maria@example.org")
    assert said.out.splitlines()[1:] == [
        "Good for 1 person, for ever.",
        "The email is attached to the account only if the link comes in Foyer's own mail (--send).",
    ]
