"""`foyer application …`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction

from foyer.applications import decisions, keys, queries, search, services
from foyer.applications.models import Application, Message, Note, State
from foyer.cli import local_time
from foyer.homeserver.memory import MemoryHomeserver
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from tests.cli.conftest import Foyer
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ANNA = Actor.staff("anna")
PASSWORD = "quarzlampe nebel tragen ufer"
REASON = "I grow tomatoes, and Anna told me about this server."
OPEN: dict[str, Any] = {
    "email": {"host": "127.0.0.1", "port": 9, "from": "join@example.org", "security": "none"},
    "moderators": {"emails": ["anna@example.org"]},
}

Apply = Callable[..., Application]


@pytest.fixture(autouse=True)
def open_door(configure: Configure, homeserver: MemoryHomeserver) -> None:
    """Let people apply."""
    configure(**OPEN)


@pytest.fixture
def apply() -> Apply:
    """Return `apply(name, until=)`: an application that stands at `email`, `about` or `review`."""

    def applied(name: str = "maria", *, until: str = "review", ip: str | None = None) -> Application:
        row = queries.by_key(services.start(name, f"{name}@example.com", ip=ip).key)
        if until != "email":
            services.verify_by_code(row, keys.code(row))
        if until == "review":
            services.submit(queries.by_id(row.id), {"reason": REASON}, [], PASSWORD)
        return queries.by_id(row.id)

    return applied


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal whose clock is not UTC."""
    monkeypatch.setattr(local_time, "_NAMED", "Europe/Berlin")
    local_time.zone.cache_clear()
    yield
    local_time.zone.cache_clear()


def state_of(row: Application) -> str:
    return queries.by_id(row.id).state


def ids(told: list[dict[str, Any]]) -> list[int]:
    return [one["id"] for one in told]


def test_list_without_any_says_what_to_do(foyer: Foyer) -> None:
    said = foyer("application", "list")
    assert said.out == "Nobody waits for a decision. `--all` lists the other applications as well.\n"
    assert foyer("application", "list", "--all").out == "There are none.\n"
    assert foyer("application", "list", "--json").json == []


def test_list_shows_what_waits_for_a_decision_the_oldest_first(foyer: Foyer, apply: Apply) -> None:
    first, second, _third = apply("maria"), apply("paul"), apply("tom", until="about")
    decisions.ask(first.id, ANNA, "Which tomatoes?")
    assert ids(foyer("application", "list", "--json").json) == [first.id, second.id]
    lines = foyer("application", "list").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "EMAIL", "STATE", "SENT", "NOTICED"]
    assert [line.split()[:4] for line in lines[1:]] == [
        [str(first.id), "maria", "maria@example.com", "asked"],
        [str(second.id), "paul", "paul@example.com", "waiting"],
    ]


def test_list_by_state_or_all_shows_the_newest_first(foyer: Foyer, apply: Apply) -> None:
    unverified, verified, denied = apply("tom", until="email"), apply("eva", until="about"), apply("paul")
    decisions.deny(denied.id, ANNA)
    assert ids(foyer("application", "list", "--all", "--json").json) == [denied.id, verified.id, unverified.id]
    assert ids(foyer("application", "list", "--state", "denied", "--json").json) == [denied.id]
    both = foyer("application", "list", "--state", "unverified,denied", "--json").json
    assert ids(both) == [denied.id, unverified.id]
    assert "tom@example.com (not verified)" in foyer("application", "list", "--state", "unverified").out


def test_list_with_a_limit_says_that_there_are_more(foyer: Foyer, apply: Apply) -> None:
    for name in ("maria", "paul", "eva"):
        apply(name)
    said = foyer("application", "list", "--limit", "2")
    assert said.out.splitlines()[-1] == "… and more. `--limit 0` shows all of them."
    assert len(foyer("application", "list", "--limit", "0", "--json").json) == 3


def test_list_finds_words(foyer: Foyer, apply: Apply) -> None:
    maria, paul = apply("maria"), apply("paul")
    decisions.deny(paul.id, ANNA)
    assert ids(foyer("application", "list", "--search", "maria@", "--json").json) == [maria.id]
    assert ids(foyer("application", "list", "--all", "--search", "tomatoes", "--json").json) == [paul.id, maria.id]
    assert foyer("application", "list", "--search", "nothing of it").out == "There are none.\n"


def test_list_finds_every_one_where_many_have_said_it(foyer: Foyer) -> None:
    facts = {"state": State.DENIED, "answers": [{"id": "reason", "text": "Why?", "answer": REASON}]}
    rows = Application.objects.bulk_create(
        Application(localpart=f"p{number}", email=f"p{number}@example.com", key_digest=f"digest {number}", **facts)
        for number in range(1100)
    )
    with transaction.atomic():
        for row in rows:
            search.index(row)
    newest_first = [row.id for row in reversed(rows)]

    found = foyer("application", "list", "--all", "--search", "tomatoes", "--limit", "0", "--json").json

    assert ids(found) == newest_first
    assert ids(foyer("application", "list", "--all", "--limit", "0", "--json").json) == newest_first


def test_list_says_what_was_noticed(foyer: Foyer, apply: Apply) -> None:
    for name in ("maria", "paul", "support1"):
        apply(name, ip="192.0.2.7")
    assert "3 requests from this network within a day" in foyer("application", "list").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["list", "--state", "open"],
            f"--state open: Choose among {', '.join(State.values)}.",
        ),
        (["list", "--state", "denied", "--all"], "--state and --all contradict each other. Give one."),
        (
            ["show", "maria"],
            "'maria' is not the number of an application. `foyer application list --all` shows them.",
        ),
        (
            ["approve", "1", "9" * 30],
            f"'{'9' * 30}' is not the number of an application. `foyer application list --all` shows them.",
        ),
    ],
)
def test_words_that_make_no_sense_are_said_so(foyer: Foyer, words: list[str], sentence: str) -> None:
    said = foyer("application", *words)
    assert (said.status, said.err) == (2, sentence)


def test_show_tells_the_whole_story(foyer: Foyer, apply: Apply) -> None:
    row = apply()
    decisions.ask(row.id, ANNA, "Which tomatoes?")
    services.reply(row, "Ox hearts.")
    decisions.note(row.id, ANNA, "Sounds nice.")
    said = foyer("application", "show", f"#{row.id}").out
    for piece in ("State:       waiting", "maria@example.com (verified)", REASON, "anna: Which tomatoes?"):
        assert piece in said
    assert "the applicant: Ox hearts." in said
    assert "anna: Sounds nice." in said
    assert "application.submitted  the applicant" in said


def test_show_as_json_has_everything_and_no_secret(foyer: Foyer, apply: Apply) -> None:
    other, row = apply("mar1a", ip="192.0.2.9"), apply("maria", ip="192.0.2.7")
    told = foyer("application", "show", str(row.id), "--json")
    assert told.json["answers"][0]["answer"] == REASON
    assert told.json["look_alikes"] == {"by_name": [other.id], "by_email": [], "by_subnet": []}
    assert [it["verb"] for it in told.json["history"]][:2] == ["application.started", "application.code-sent"]
    assert {it["kind"] for it in told.json["mails"]} >= {"applications.received"}
    for secret in (keys.status_key(row), keys.mail_key(row), keys.code(row), PASSWORD, row.nonce, row.key_digest):
        assert secret not in told.out


def test_show_of_a_number_that_nobody_has_says_so(foyer: Foyer) -> None:
    said = foyer("application", "show", "4711")
    sentence = "There is no application 4711. `foyer application list --all` shows them."
    assert (said.status, said.err) == (1, sentence)


def test_show_prints_nothing_that_steers_a_terminal(foyer: Foyer, apply: Apply) -> None:
    row = apply()
    Application.objects.filter(id=row.id).update(answers=[{"id": "x", "text": "Why?", "answer": "\x1b[2Jhello\nyou"}])
    out = foyer("application", "show", str(row.id)).out
    assert "\x1b" not in out
    assert "Why?\n   [2Jhello\n  you\n" in out


def test_approve_acts_at_once(foyer: Foyer, apply: Apply, homeserver: MemoryHomeserver) -> None:
    row = apply()
    said = foyer("application", "approve", str(row.id), "--message", "Welcome!", "--reason", "knows Anna")
    assert (said.status, said.out) == (0, f"{row.id} (maria) is approved.\n")
    Worker().run_until_idle("house")
    Worker().run_until_idle("homeserver")
    done = queries.by_id(row.id)
    assert (done.state, done.message, done.reason, done.decided_by) == (
        State.DONE,
        "Welcome!",
        "knows Anna",
        "command-line",
    )
    assert homeserver.password_is_right("maria", PASSWORD)


def test_deny_silently_sends_no_mail(foyer: Foyer, apply: Apply) -> None:
    loud, quiet = apply("maria"), apply("paul")
    foyer("application", "deny", str(loud.id), "-m", "We are full.")
    foyer("application", "deny", str(quiet.id), "--silent")
    Worker().run_until_idle("house")
    told = Delivery.objects.filter(kind="applications.denied")
    assert [it.subject for it in told] == [loud.holder]
    assert queries.by_id(quiet.id).ended_at is not None


def test_approve_several_does_what_can_be_done(foyer: Foyer, apply: Apply, in_berlin: None) -> None:
    first, second, third = apply("maria"), apply("paul"), apply("eva", until="about")
    with time_machine.travel(datetime(2027, 1, 24, 10, 30, tzinfo=UTC)):
        decisions.deny(second.id, ANNA)
    words = [str(first.id), str(second.id), str(third.id), "4711", str(first.id)]
    said = foyer("application", "approve", *words)
    assert (said.status, said.out) == (1, f"{first.id} (maria) is approved.\n")
    assert said.err.splitlines() == [
        f"Application {second.id} was denied by anna on 2027-01-24 11:30 CET.",
        f"Application {third.id} is verified, so this cannot be done to it now.",
        "There is no application 4711. `foyer application list --all` shows them.",
    ]


def test_approve_again_as_json_says_who_was_first(foyer: Foyer, apply: Apply, in_berlin: None) -> None:
    row = apply()
    foyer("application", "approve", str(row.id))
    said = foyer("application", "deny", str(row.id), "--json")
    at = queries.by_id(row.id).decided_at
    assert at is not None
    sentence = (
        f"Application {row.id} was approved by the command line on "
        f"{at.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%d %H:%M %Z}."
    )
    refusal = {"code": "already-decided", "sentence": sentence}
    assert said.json == [{"id": row.id, "state": "approved", "done": False, "refusal": refusal}]
    assert (said.status, said.err) == (1, sentence)


def test_ask_writes_to_the_applicant(foyer: Foyer, apply: Apply) -> None:
    row = apply()
    assert foyer("application", "ask", str(row.id), "-m", "Which tomatoes?").out == f"{row.id} (maria) is asked.\n"
    assert state_of(row) == State.ASKED
    assert Message.objects.get().text == "Which tomatoes?"


def test_ask_without_words_is_refused(foyer: Foyer, apply: Apply) -> None:
    row = apply()
    said = foyer("application", "ask", str(row.id), "-m", " ")
    assert (said.status, said.err) == (1, f"Application {row.id}: Write something first.")
    assert foyer("application", "ask", str(row.id)).status == 2


def test_reopen_lets_it_wait_again(foyer: Foyer, apply: Apply) -> None:
    row, waiting = apply("maria"), apply("paul")
    foyer("application", "deny", str(row.id))
    Worker().run_until_idle("house")
    said = foyer("application", "reopen", str(row.id), str(waiting.id))
    assert said.out == f"{row.id} (maria) is waiting again.\n"
    assert said.err == f"Application {waiting.id} is waiting, so this cannot be done to it now."
    assert state_of(row) == State.WAITING


def test_note_is_kept_for_moderators(foyer: Foyer, apply: Apply) -> None:
    row = apply()
    said = foyer("application", "note", str(row.id), "-m", "Anna vouches.")
    assert (said.status, said.out) == (0, f"{row.id} (maria) is noted.\n")
    assert [(it.by, it.text) for it in Note.objects.all()] == [("command-line", "Anna vouches.")]


def test_cleanup_keeps_the_retention_of_applications(foyer: Foyer, apply: Apply) -> None:
    old, waiting, denied = apply("tom", until="email"), apply("maria"), apply("paul")
    foyer("application", "deny", str(denied.id))
    Worker().run_until_idle("house")
    with time_machine.travel(now() + timedelta(days=31)):
        said = foyer("cleanup")
    assert "applications.retention" in said.out
    assert state_of(old) == State.EXPIRED
    assert state_of(waiting) == State.WAITING
    assert not Application.objects.filter(id=denied.id).exists()
