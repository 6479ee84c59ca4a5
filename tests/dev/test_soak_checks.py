"""That the reckoning after a bad day finds what is wrong: a small good world, spoiled in one place at a time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from dev.mailcatcher import MailCatcher
from dev.soak.applicants import Applicant
from dev.soak.checks import Aftermath
from dev.soak.people import Newcomer, Outcome, Typed
from dev.soak.plan import Plan, short
from dev.soak.records import Records, Row

Rows = dict[str, list[Row]]


class Written(Records):
    """A database as it is written down here."""

    def __init__(self, tables: Rows) -> None:
        super().__init__("")
        self.tables = tables

    def rows(self, table: str, where: str = "") -> list[Row]:
        found = self.tables.get(table, [])
        return [row for row in found if not where or row["verb"] == where.partition("'")[2].rstrip("'")]


class Homeserver:
    """As much of a Synapse as is asked."""

    server_name = "localhost"

    def __init__(self, passwords: dict[str, str]) -> None:
        self.passwords, self.locked, self.emails = passwords, set[str](), {"ada": ["person2@example.net"]}
        self.members = list(passwords)

    def users(self) -> list[dict[str, Any]]:
        return [{"name": f"@{name}:localhost", "locked": name in self.locked} for name in self.passwords]

    def user(self, name: str) -> dict[str, Any]:
        return {"threepids": [{"address": it} for it in self.emails.get(name, [])]}

    def login(self, name: str, password: str) -> tuple[int, dict[str, Any]]:
        return (200 if self.passwords.get(name) == password and name not in self.locked else 403), {}

    def admin(self, _method: str, path: str) -> tuple[int, dict[str, Any]]:
        joined: dict[str, Any] = {f"@{name}:localhost": {} for name in self.members}
        return 200, {"room_id": "!room"} if "directory" in path else {"joined": joined}


def account(number: int, name: str, **facts: Any) -> Row:
    return {"id": number, "localpart": name, "state": "open", "made_for": "", "reason": "", **facts}


class World:
    """Maria came by an invitation, Ada was approved, Tom was denied."""

    def __init__(self, folder: Path) -> None:
        common: dict[str, Any] = {"ports": [1], "arrives_at": 0, "deadline": 0, "is_over": threading.Event()}
        self.maria = Newcomer(number=1, dice=random.Random(1), name="maria", code="Code", **common)
        self.ada = Applicant(number=2, dice=random.Random(2), name="ada", **common)
        self.tom = Applicant(number=3, dice=random.Random(3), name="tom", **common)
        self.maria.typed, self.maria.outcome, self.maria.told_in_as = [Typed("maria", "m", "Code")], Outcome.IN, "maria"
        self.ada.typed, self.ada.outcome, self.ada.told_in_as = [Typed("ada", "a")], Outcome.IN, "ada"
        self.tom.typed, self.tom.outcome = [Typed("tom", "t")], Outcome.DENIED
        self.homeserver = Homeserver({"maria": "m", "ada": "a", "tom": "nobody knows"})
        self.homeserver.locked.add("tom")
        self.log = folder / "foyer.log"
        self.log.write_text("Foyer is open.\n")
        application = {"account_id": None, "invite_id": None, "submitted_at": "then"}
        self.tables: Rows = {
            "accounts_account": [
                account(1, "maria"),
                account(2, "ada", made_for="application:1"),
                account(3, "tom", state="shelved", made_for="application:2"),
            ],
            "applications_application": [
                {**application, "id": 1, "state": "done", "localpart": "ada", "email": self.ada.email, "account_id": 2},
                {**application, "id": 2, "state": "denied", "localpart": "tom", "email": self.tom.email},
            ],
            "invites_invite": [{"id": 1, "code": "Code", "used": 1, "held": 0, "uses_limit": 1}],
            "invites_use": [{"invite_id": 1, "holder": "account:1", "spent_at": "then", "code": "Code"}],
            "names_claim": [
                {"localpart": "maria", "holder": "account:1"},
                {"localpart": "ada", "holder": "account:2"},
            ],
            "jobs_job": [],
            "audit_event": [],
            "notify_delivery": [
                delivery(number, kind, about)
                for number, (kind, about) in enumerate(
                    [("received", 1), ("approved", 1), ("received", 2), ("denied", 2)], start=1
                )
            ],
        }
        self.mails = [mail(number) for number in range(1, 5)]

    def problems(self) -> list[str]:
        people = [self.maria, self.ada, self.tom]
        return Aftermath(Written(self.tables), self.homeserver, people, self.mails, [self.log]).problems()  # type: ignore[arg-type]


def delivery(number: int, kind: str, about: int) -> Row:
    return {
        "kind": f"applications.{kind}",
        "subject": f"application:{about}",
        "state": "sent",
        "message_id": f"<{number}>",
        "last_error": "",
    }


def mail(number: int, to: str = "somebody@example.net") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"], message["X-Envelope-To"] = f"<{number}>", to
    return message


def test_reckoning_of_a_good_day_finds_nothing(tmp_path: Path) -> None:
    assert World(tmp_path).problems() == []


def _change(table: str, number: int, **facts: Any) -> Callable[[World], None]:
    return lambda world: world.tables[table][number].update(facts)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_change("accounts_account", 0, state="unknown"), "account 1 (maria) is still unknown"),
        (_change("accounts_account", 0, state="refused"), "Synapse has maria, and here are 0 rows for it"),
        (lambda it: it.homeserver.passwords.pop("ada"), "ada is open here, and Synapse has no such account"),
        (lambda it: it.homeserver.locked.add("ada"), "person 2 was told that they are in as ada, and cannot sign in"),
        (lambda it: it.homeserver.locked.clear(), "tom is shelved here, and at Synapse locked is False"),
        (lambda it: it.tables["invites_use"].clear(), "account 1 has 0 uses and 0 applications as causes"),
        (_change("applications_application", 0, account_id=1), "account 1 has 1 uses and 1 applications as causes"),
        (_change("invites_invite", 0, used=0), "invitation Code: used and held are (0, 0), its uses 1"),
        (_change("invites_invite", 0, held=1), "invitation Code: used and held are (1, 1), its uses 1"),
        (_change("invites_invite", 0, uses_limit=0), "invitation Code was used 1 of 0 times"),
        (_change("names_claim", 0, holder="account:9"), "the name maria is claimed by account:9"),
        (lambda it: it.tables["names_claim"].pop(), "account 2 is open, and its name is None's"),
        (
            lambda it: it.tables["jobs_job"].append(
                {"kind": "x", "subject": "1", "gave_up_at": None, "attempts": 2, "last_error": "y"}
            ),
            "the job x 1 is still owed (2 tries, y)",
        ),
        (
            lambda it: it.tables["audit_event"].append(
                {"verb": "account.needs-a-decision", "subject_kind": "account", "subject_id": "1", "facts": {}}
            ),
            "account.needs-a-decision: account 1",
        ),
        (lambda it: it.mails.pop(), "applications.denied about application:2 counts as sent, and never came"),
        (lambda it: it.mails.append(mail(4, "other@example.net")), "applications.denied about application:2 came to"),
        (lambda it: it.mails.append(mail(9)), "a mail came to somebody@example.net that nobody owed"),
        (
            lambda it: it.tables["notify_delivery"].append(delivery(4, "denied", 2)),
            "application:2 is denied, and was mailed 0 times yes and 2 times no",
        ),
        (_change("notify_delivery", 3, state="owed"), "applications.denied about application:2 is owed"),
        (lambda it: setattr(it.maria, "typed", [Typed("maria", "m", "Other")]), "person 1 can sign in as maria"),
        (lambda it: it.homeserver.passwords.update(tom="t"), "tom is shelved here"),
        (lambda it: it.homeserver.emails.clear(), "ada (open) has the emails [] at Synapse"),
        (lambda it: it.homeserver.members.remove("ada"), "ada is not in the room"),
        (lambda it: it.log.write_text("x\nTraceback (most recent call last):\n"), "logged: x / Traceback"),
        (lambda it: it.ada.fault("answered with 500"), "person 2 (applicant): answered with 500"),
    ],
)
def test_reckoning_finds_what_is_spoiled(tmp_path: Path, spoil: Callable[[World], Any], said: str) -> None:
    world = World(tmp_path)
    if said == "tom is shelved here":
        world.homeserver.locked.clear()
    spoil(world)

    assert any(said in problem for problem in world.problems()), world.problems()


def test_kills_of_a_plan_come_in_order_within_its_day_and_the_same_again() -> None:
    for plan in (Plan("sqlite", 7), short("postgresql", 7)):
        moments = plan.moments()

        assert len(moments) == plan.kills
        assert moments == sorted(moments) == plan.moments()
        assert moments[0] > 0
        assert moments[-1] < plan.seconds


def test_applicant_reads_only_their_own_mails(tmp_path: Path) -> None:
    with MailCatcher.start() as mails:
        ada = World(tmp_path).ada
        ada.mails = mails
        mails.take("join@example.org", [ada.email], b"Subject: 123456 is your code\n\nHello")
        mails.take("join@example.org", ["other@example.net"], b"Subject: 654321 is your code\n\nHello")

        assert [str(it["Subject"]) for it in ada._mine()] == ["123456 is your code"]
