"""`foyer staff …` and `foyer createsuperuser`."""

from __future__ import annotations

import getpass
import importlib
import io
import json
import sys
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from pytest_django import Settings

from foyer.audit.models import Event
from foyer.cli.dispatch import guarded
from foyer.kit.actor import Actor
from foyer.staff import services
from foyer.staff.models import Staff
from tests.cli.conftest import Foyer, Said

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PASSWORD = "lantern orchard willow"
Staffed = Callable[..., Said]


class Terminal(io.StringIO):
    """Standard input with a person at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def quick(settings: Settings) -> None:
    """Hash passwords quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def staff(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Staffed:
    """Return `staff(*args, stdin=…, typed=[…])`: run `foyer staff ARGS`, or another word as `word`."""

    def call(*args: str, stdin: str = "", typed: list[str] | None = None, word: str = "staff") -> Said:
        module = importlib.import_module(f"foyer.cli.{word}")
        answers = list(typed or [])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if typed is None else Terminal(stdin))
        monkeypatch.setattr(getpass, "getpass", lambda _prompt: answers.pop(0))
        capsys.readouterr()
        status = guarded(lambda: module.app(args=list(args), prog_name=f"foyer {word}"))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(status, said.out, said.err.strip())

    return call


def made(name: str = "anna", role: str = "moderator") -> Staff:
    return services.create(name, role, password=PASSWORD, actor=Actor.command_line())


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


def test_create_takes_the_password_from_a_pipe(staff: Staffed) -> None:
    said = staff("create", "Anna", "--role", "moderator", "--password-stdin", stdin=f"{PASSWORD}\n")

    assert (said.status, said.out) == (0, "anna can sign in as a moderator at http://localhost:5000/desk\n")
    anna = Staff.objects.get()
    assert (anna.username, anna.role, anna.is_active) == ("anna", "moderator", True)
    assert anna.check_password(PASSWORD)
    event = Event.objects.get()
    assert (event.verb, event.actor, event.subject_id) == ("staff.created", "command-line", str(anna.pk))
    assert event.facts == {"role": "moderator"}


def test_create_keeps_blanks_at_the_ends_of_a_password(staff: Staffed) -> None:
    staff("create", "anna", "--role", "admin", "--password-stdin", stdin=f" {PASSWORD} \r\n")

    assert Staff.objects.get().check_password(f" {PASSWORD} ")


def test_create_as_json_says_what_was_made(staff: Staffed) -> None:
    said = staff(
        "create", "anna", "--role", "admin", "--email", "a@example.org", "--password-stdin", "--json", stdin=PASSWORD
    )

    told = json.loads(said.out)
    assert (told["name"], told["role"], told["email"], told["is_active"]) == ("anna", "admin", "a@example.org", True)
    assert PASSWORD not in said.out


def test_create_asks_a_person_for_role_and_password(staff: Staffed) -> None:
    said = staff("create", "anna", stdin="admin\n", typed=[PASSWORD, PASSWORD])

    assert said.status == 0
    assert Staff.objects.get().is_admin


def test_create_when_the_two_passwords_differ_makes_nobody(staff: Staffed) -> None:
    said = staff("create", "anna", "--role", "admin", typed=[PASSWORD, "another"])

    assert (said.status, said.err) == (1, "The two passwords differ. Nothing was changed; try again.")
    assert not Staff.objects.exists()


@pytest.mark.parametrize(
    ("args", "stdin", "status", "said"),
    [
        (["anna", "--role", "admin"], "", 2, "Nobody is there to answer. Give the password with --password-stdin."),
        (["anna", "--password-stdin"], PASSWORD, 2, "Nobody is there to answer. Give the role with --role."),
        (["anna", "--role", "boss", "--password-stdin"], PASSWORD, 2, "There is no role boss."),
        (["anna", "--role", "admin", "--password-stdin"], "", 1, "There is no password on standard input."),
        (["anna", "--role", "admin", "--password-stdin"], "short", 1, "This password is too short."),
        (["anna", "--role", "admin", "--password-stdin"], "password1234", 1, "This password is too common."),
        (["o'hara", "--role", "admin", "--password-stdin"], PASSWORD, 1, "A name has 1 to 64 of these:"),
        (["", "--role", "admin", "--password-stdin"], PASSWORD, 1, "A name has 1 to 64 of these:"),
        (
            ["anna", "--role", "admin", "--email", "nonsense", "--password-stdin"],
            PASSWORD,
            1,
            "nonsense is not an email address.",
        ),
    ],
)
def test_create_that_cannot_be_says_why_and_makes_nobody(
    staff: Staffed, args: list[str], stdin: str, status: int, said: str
) -> None:
    done = staff("create", *args, stdin=stdin)

    assert done.status == status
    assert done.err.startswith(said)
    assert not Staff.objects.exists()
    assert verbs() == []


def test_create_of_a_name_that_is_there_is_refused_before_the_password_is_asked(staff: Staffed) -> None:
    made()
    said = staff("create", "ANNA", "--role", "admin", typed=[])

    assert said.status == 1
    assert said.err == "There is a moderator or admin called anna already. Choose another name."


def test_createsuperuser_makes_an_admin(staff: Staffed) -> None:
    said = staff("bert", "--password-stdin", word="createsuperuser", stdin=PASSWORD)

    assert (said.status, said.out) == (0, "bert can sign in as an admin at http://localhost:5000/desk\n")
    assert Staff.objects.get().is_superuser


def test_createsuperuser_asks_for_the_name(staff: Staffed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    staff(word="createsuperuser", stdin="\n", typed=[PASSWORD, PASSWORD])

    assert Staff.objects.get().username == "root"


@pytest.mark.parametrize("command", ["createsuperuser", "changepassword"])
def test_djangos_own_commands_point_at_ours(foyer: Foyer, command: str) -> None:
    said = foyer("django", command)

    assert said.status != 0
    assert "it keeps the audit" in said.err + said.out


def test_list_of_nobody_says_how_to_begin(staff: Staffed) -> None:
    assert staff("list").out == "There is nobody yet. `foyer createsuperuser` makes the first admin.\n"


def test_list_shows_roles_states_and_second_factors(staff: Staffed) -> None:
    anna, bert = made(), made("bert", "admin")
    for kind in ("webauthn", "webauthn", "totp", "recovery_codes"):
        Authenticator.objects.create(user=bert, type=kind, data={})
    services.disable(anna, actor=Actor.command_line())

    lines = [line.split("  ") for line in staff("list").out.splitlines()]
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert table == [
        ["NAME", "ROLE", "STATE", "SECOND FACTOR", "LAST SIGN-IN"],
        ["anna", "moderator", "disabled", "-", "never"],
        ["bert", "admin", "open", "app, passkey", "never"],
    ]
    told = json.loads(staff("list", "--json").out)
    assert [it["second_factors"] for it in told] == [[], ["totp", "webauthn"]]
    assert "password" not in told[0]


def test_disable_and_enable(staff: Staffed) -> None:
    anna = made("anna", "admin")

    said = staff("disable", "Anna")
    assert said.out.splitlines() == [
        "anna is signed out and cannot sign in any more. `foyer staff enable` undoes it.",
        "Nobody is left who can sign in as an admin. `foyer createsuperuser` makes one.",
    ]
    assert staff("disable", "anna").out == "anna was disabled already.\n"
    anna.refresh_from_db()
    assert not anna.is_active
    assert staff("enable", "anna").out == "anna can sign in again.\n"
    assert staff("enable", "anna").out == "anna was never disabled.\n"
    assert verbs() == ["staff.created", "staff.disabled", "staff.enabled"]


def test_reset_password(staff: Staffed) -> None:
    anna = made()
    said = staff("reset-password", "anna", "--password-stdin", stdin="violet harbour thistle\n")

    assert (said.status, said.out) == (0, "anna has the new password, and is signed out everywhere.\n")
    anna.refresh_from_db()
    assert anna.check_password("violet harbour thistle")
    assert verbs() == ["staff.created", "staff.password-reset"]


def test_reset_second_factor_asks_first(staff: Staffed) -> None:
    anna = made()
    Authenticator.objects.create(user=anna, type="totp", data={})

    assert staff("reset-second-factor", "anna").status == 1
    assert Authenticator.objects.exists()
    assert staff("reset-second-factor", "anna", "--yes").out == "anna signs in with the password alone now.\n"
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("command", ["disable", "enable", "reset-password", "reset-second-factor"])
def test_command_about_nobody_says_so(staff: Staffed, command: str) -> None:
    said = staff(command, "carla")

    assert said.status == 1
    assert said.err == "There is no moderator or admin called carla. `foyer staff list` shows them all."


@pytest.mark.parametrize("args", [["-h"], ["create", "-h"], ["list", "--help"], ["reset-password", "-h"]])
def test_every_command_has_help(staff: Staffed, args: list[str]) -> None:
    said = staff(*args)

    assert said.status == 0
    assert "Usage: foyer staff" in said.out
