"""The whole way of an applicant with the mail server or the homeserver broken at each step, and with everything killed.

One Foyer as it is served, one real Synapse behind a proxy, one mail server that misbehaves. At each fault many
applicants stand at different steps, so that every step meets it.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev.demo_visitor import fetch
from dev.proxy import ChaosProxy, Hang, Lose, Mode
from dev.synapse import Synapse
from tests.journeys.people import (
    PASSWORD,
    Applicant,
    Browser,
    Letter,
    Page,
    a_minute_passes,
    add_staff,
    all_at_once,
    eventually,
    leases_run_out,
    nothing_is_owed,
    owed,
    rows,
)
from tests.support.server import RunningFoyer, running_foyer
from tests.support.smtp import Sink
from tests.support.synapse import homeserver_keys

pytestmark = [pytest.mark.synapse]

TEAM = "team@example.org"
WELCOME = "Welcome among us"
numbers = itertools.count(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = Sink()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def chaos(synapse: Synapse) -> Iterator[ChaosProxy]:
    with ChaosProxy(synapse.url) as running:
        yield running


@pytest.fixture(scope="module")
def foyer(
    synapse: Synapse, chaos: ChaosProxy, sink: Sink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningFoyer]:
    """Foyer with its worker, in front of both."""
    token = synapse.admin_token
    room = synapse.request("POST", "/_matrix/client/v3/createRoom", {"preset": "public_chat"}, token=token)[1]
    values: dict[str, Any] = {
        "homeserver": {**homeserver_keys(synapse, "both", url=chaos.url), "timeout": "2s"},
        "server_name": synapse.server_name,
        "email": {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "join@example.org"},
        "moderators": {"emails": [TEAM]},
        "application": {"questions": [{"id": "reason", "text": "Who are you?", "kind": "text", "min_length": 10}]},
        "after": {"rooms": [room["room_id"]], "welcome_message": WELCOME},
    }
    with running_foyer(tmp_path_factory.mktemp("faults"), **values) as running:
        add_staff(running, "anna", "moderator")
        add_staff(running, "bert", "admin")
        yield running


@pytest.fixture(scope="module")
def tidy(foyer: RunningFoyer) -> Browser:
    """An admin who clears up behind the tests."""
    browser = Browser(foyer)
    browser.sign_in("bert")
    return browser


@pytest.fixture(autouse=True)
def in_order(foyer: RunningFoyer, chaos: ChaosProxy, sink: Sink, tidy: Browser) -> Iterator[None]:
    """Everything works before and after each test, and nobody waits for the moderators: a flood is told in a digest."""
    yield
    chaos.clear()
    sink.answers, sink.slow_seconds, sink.at_taken = {}, 0, None
    left = rows(foyer, "SELECT id FROM applications_application WHERE state IN ('waiting', 'asked')")
    if left:
        done = tidy.post("/desk/decide", ids=",".join(str(one[0]) for one in left), decision="deny", silent="yes")
        assert done.status == 303, done.text


@pytest.fixture
def anna(foyer: RunningFoyer) -> Browser:
    """A moderator at the desk."""
    browser = Browser(foyer)
    browser.sign_in("anna")
    return browser


@pytest.fixture
def bert(foyer: RunningFoyer) -> Browser:
    """An admin at the desk."""
    browser = Browser(foyer)
    browser.sign_in("bert")
    return browser


@dataclass
class Crowd:
    """Applicants, each a step further than the one before."""

    new: Applicant
    verified: Applicant
    waiting: Applicant
    asked: Applicant
    to_approve: Applicant
    to_deny: Applicant

    def everybody(self) -> list[Applicant]:
        return [self.new, self.verified, self.waiting, self.asked, self.to_approve, self.to_deny]


@pytest.fixture
def crowd(foyer: RunningFoyer, sink: Sink, anna: Browser) -> Crowd:
    """Somebody at each step, with every mail so far arrived."""
    made = Crowd(*(Applicant(foyer, sink, f"{step}{next(numbers)}") for step in ("n", "v", "w", "q", "y", "d")))
    all_at_once([lambda one=one: one.begin().verify() for one in made.everybody()[1:]])  # type: ignore[misc]
    all_at_once([lambda one=one: one.submit() for one in made.everybody()[2:]])  # type: ignore[misc]
    decide(anna, made.asked, "ask")
    eventually(lambda: nothing_is_owed(foyer), foyer)
    return made


def decide(browser: Browser, applicant: Applicant, decision: str, message: str = "Who told you about us?") -> None:
    path = f"/desk/requests/{applicant.number}/{decision}"
    assert browser.get(path).status == 200
    done = browser.post(path, message=message)
    assert done.status == 303, done.text


def everybody_takes_a_step(crowd: Crowd, foyer: RunningFoyer, anna: Browser) -> None:
    """Each of them does what owes a mail: a page that answers kindly, whatever the mail server does."""
    crowd.new.begin()
    crowd.verified.submit()
    decide(anna, crowd.waiting, "ask")
    assert crowd.asked.reply().status == 303
    decide(anna, crowd.to_approve, "approve", "Good that you are here.")
    decide(anna, crowd.to_deny, "deny", "Not this time.")
    a_minute_passes(foyer)


def expected(crowd: Crowd) -> dict[str, Callable[[], list[Letter]]]:
    """What every step owes, and how to find it."""

    def of(applicant: Applicant, sign: str) -> Callable[[], list[Letter]]:
        return lambda: [letter for letter in applicant.mails() if sign in letter.text]

    def team(name: str, sign: str) -> Callable[[], list[Letter]]:
        def found() -> list[Letter]:
            letters = [Letter(taken) for taken in list(crowd.new.sink.taken)]
            return [it for it in letters if it.to == TEAM and f"@{name}:" in it.text and sign in it.text]

        return found

    return {
        "verification": of(crowd.new, "/apply/confirm/"),
        "received": of(crowd.verified, f"/apply/{crowd.verified.key}"),
        "new, to the moderators": team(crowd.verified.name, "tomatoes"),
        "question": of(crowd.waiting, "Who told you about us?"),
        "answered, to the moderators": team(crowd.asked.name, "from the choir"),
        "approved": of(crowd.to_approve, "Good that you are here."),
        "denied": of(crowd.to_deny, "Not this time."),
    }


def mailed(foyer: RunningFoyer, condition: str) -> int:
    return int(rows(foyer, f"SELECT count(*) FROM notify_delivery WHERE {condition}")[0][0])


def invite_by_mail(foyer: RunningFoyer, name: str) -> Callable[[Sink], list[Letter]]:
    """Owe the mail of an invitation; returns how to find it."""
    to = f"{name}@example.net"
    foyer.cli("invite", "create", "--email", to, "--send")
    return lambda sink: [it for it in map(Letter, list(sink.taken)) if it.to == to]


def everything_arrived_once(crowd: Crowd, sink: Sink, invitation: Callable[[Sink], list[Letter]]) -> None:
    counts = {step: len(find()) for step, find in expected(crowd).items()} | {"invitation": len(invitation(sink))}
    assert counts == dict.fromkeys(counts, 1)


PASSING: dict[str, Callable[[Sink], None]] = {
    "down": lambda sink: sink.stop(),
    "busy": lambda sink: sink.answers.update(RCPT="451 4.3.0 Try later"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_mail_server_that_fails_for_a_while_at_any_step_costs_nothing_but_the_wait(
    foyer: RunningFoyer, sink: Sink, crowd: Crowd, anna: Browser, fault: str
) -> None:
    PASSING[fault](sink)
    everybody_takes_a_step(crowd, foyer, anna)
    invitation = invite_by_mail(foyer, f"i{next(numbers)}")
    eventually(lambda: mailed(foyer, "state = 'owed' AND attempts > 0 AND last_error <> ''") == 8, foyer)
    assert not any(find() for find in expected(crowd).values())
    assert crowd.new.browser.get(f"/apply/{crowd.new.key}/verify").status == 200

    sink.answers, sink.slow_seconds = {}, 0.5  # and slow at first
    if fault == "down":
        sink.start()
    a_minute_passes(foyer)
    eventually(lambda: not owed(foyer), foyer)

    everything_arrived_once(crowd, sink, invitation)
    crowd.new.verify().submit()


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [("RCPT", "550 5.1.1 Nobody here", "refused"), ("DATA", "554 5.6.0 Not such a mail", "gave-up")],
)
def test_mail_refused_for_good_at_any_step_is_shown_and_goes_once_somebody_tries_again(
    foyer: RunningFoyer, sink: Sink, crowd: Crowd, anna: Browser, bert: Browser, step: str, answer: str, state: str
) -> None:
    sink.answers[step] = answer
    before = mailed(foyer, f"state = '{state}'")
    everybody_takes_a_step(crowd, foyer, anna)
    invitation = invite_by_mail(foyer, f"i{next(numbers)}")
    eventually(lambda: mailed(foyer, f"state = '{state}'") == before + 8, foyer)
    assert not owed(foyer)

    if state == "refused":
        for one in (crowd.new, crowd.verified, crowd.waiting):
            page = one.browser.get(f"/apply/{one.key}" + ("/verify" if one is crowd.new else "")).text
            assert "takes no mail" in page or "does not take mail" in page, page
    assert bert.get("/desk/health").text.count("example.net") >= 6

    sink.answers = {}
    assert bert.post("/desk/health/deliveries/all").status == 303
    eventually(lambda: not owed(foyer), foyer)
    everything_arrived_once(crowd, sink, invitation)


AFTER = {
    "email": ("PUT", "/v2/users/"),
    "room": ("POST", "/v1/join/"),
    "welcome": ("POST", "send_server_notice"),
}
HOMESERVER_FAULTS: dict[str, Mode | None] = {"down": None, "lost": Lose()}


@pytest.mark.parametrize("fault", HOMESERVER_FAULTS)
def test_homeserver_that_fails_for_a_while_at_any_step_lets_everybody_in_later(
    foyer: RunningFoyer, chaos: ChaosProxy, synapse: Synapse, sink: Sink, crowd: Crowd, anna: Browser, fault: str
) -> None:
    crowd.new.begin()
    crowd.new.mail("/apply/confirm/")
    mode = HOMESERVER_FAULTS[fault]
    if mode is None:
        chaos.refuse()
    else:
        chaos.add(mode)

    crowd.new.verify()  # the name's check
    crowd.verified.submit()  # the hold
    decide(anna, crowd.to_approve, "approve", "Good that you are here.")
    decide(anna, crowd.to_deny, "deny", "Not this time.")
    a_minute_passes(foyer)
    eventually(lambda: {"applications.open", "accounts.shelve"} <= {job[0] for job in owed(foyer) if job[2]}, foyer)
    assert (crowd.new.state, crowd.verified.state) == ("verified", "waiting")
    assert not [it for it in crowd.to_approve.mails() if "Good that you are here." in it.text]

    chaos.clear()
    if mode is None:
        chaos.accept()
    else:
        for request in AFTER.values():  # and each of the steps behind the opening once more
            chaos.add(mode, *request, times=1)
    _everybody_gets_in(foyer, synapse, crowd, anna)


def _everybody_gets_in(foyer: RunningFoyer, synapse: Synapse, crowd: Crowd, anna: Browser) -> None:
    eventually(lambda: crowd.to_approve.state == "done", foyer)
    eventually(lambda: nothing_is_owed(foyer), foyer)
    assert len(expected(crowd)["approved"]()) == 1
    _is_in(synapse, crowd.to_approve)

    crowd.new.submit()
    for one in (crowd.new, crowd.verified):
        decide(anna, one, "approve", "Good that you are here.")
    a_minute_passes(foyer)
    eventually(lambda: nothing_is_owed(foyer), foyer)
    _is_in(synapse, crowd.new)
    link = re.search(r"http://\S+/i/\S+", crowd.verified.mail("Good that you are here.").text)
    if crowd.verified.state == "approved":  # the password could not be kept while the homeserver was away
        assert link is not None
        form = fetch(link[0]).form(field="password")
        assert form.send(username=crowd.verified.name, password=PASSWORD, confirm=PASSWORD).status == 200
        eventually(lambda: crowd.verified.state == "done", foyer)
    eventually(lambda: not owed(foyer), foyer)
    _is_in(synapse, crowd.verified)
    # Locked it was all the time; that the password is gone, too, may take until the sweep has found it.
    eventually(lambda: synapse.login(crowd.to_deny.name, PASSWORD)[0] == 403, foyer)


def _is_in(synapse: Synapse, applicant: Applicant) -> None:
    """Signed in, with the email, in the room, and welcomed: a notice's room is an invitation."""
    status, answer = synapse.login(applicant.name, PASSWORD)
    assert status == 200, answer
    user = synapse.user(applicant.name)
    assert user is not None
    assert [it["address"] for it in user["threepids"]] == [applicant.email]
    sync = synapse.request("GET", "/_matrix/client/v3/sync", token=answer["access_token"])[1]
    assert len(sync["rooms"]["join"]) == 1
    assert len(sync["rooms"].get("invite", {})) == 1


def test_everything_killed_at_every_step_at_once_is_finished_after_the_restart(
    foyer: RunningFoyer, chaos: ChaosProxy, synapse: Synapse, sink: Sink, crowd: Crowd, anna: Browser
) -> None:
    mailed_before = len(sink.taken)
    others = [Applicant(foyer, sink, f"o{next(numbers)}") for _ in range(3)]
    all_at_once([lambda one=one: one.begin().verify().submit() for one in others])  # type: ignore[misc]
    eventually(lambda: not owed(foyer), foyer)
    crowd.new.begin()
    digits = crowd.new.mail("/apply/confirm/")
    opened, joined, welcomed = crowd.to_approve, others[0], others[1]

    # The homeserver does each deed, and says nothing.
    names = {opened.name: "/v2/users/", joined.name: "/v1/join/", welcomed.name: "send_server_notice"}
    reached = _hang_at_the_last_step(chaos, names)
    for one in (joined, welcomed):
        decide(anna, one, "approve", "Good that you are here.")
    a_minute_passes(foyer)
    eventually(lambda: reached("/v1/join/", 1) or reached("send_server_notice", 1), foyer)
    assert digits.to == crowd.new.email
    decide(anna, opened, "approve", "Good that you are here.")
    a_minute_passes(foyer)
    eventually(lambda: reached("/v2/users/", 1), foyer)

    # The mail server takes a mail, and its yes does not come; pages are asked in the same moment.
    hold = threading.Event()

    def wait() -> None:
        hold.wait(60)

    sink.at_taken = wait
    so_far = len(sink.taken)
    assert crowd.asked.reply().status == 303
    eventually(lambda: len(sink.taken) > so_far, foyer)
    pages = [
        threading.Thread(target=_in_vain, args=(crowd.new.verify,)),
        threading.Thread(target=_in_vain, args=(crowd.verified.submit,)),
    ]
    for thread in pages:
        thread.start()
    time.sleep(0.5)
    foyer.kill9()
    for thread in pages:
        thread.join()
    hold.set()
    sink.at_taken = None
    chaos.clear()

    foyer.start()
    leases_run_out(foyer)
    browser = Browser(foyer)
    browser.sign_in("anna")
    if crowd.new.state == "unverified":
        crowd.new.verify()
    if crowd.verified.state == "verified":
        eventually(lambda: crowd.verified.browser.get(f"/apply/{crowd.verified.key}/about").status == 200)
        crowd.verified.submit()
    for one in (opened, joined, welcomed):
        eventually(lambda one=one: one.state == "done", foyer)  # type: ignore[misc]
    eventually(lambda: nothing_is_owed(foyer), foyer)
    for one in (opened, joined, welcomed):
        _is_in(synapse, one)
        assert len({it.message_id for it in one.mails() if "Good that you are here." in it.text}) == 1
    answered = expected(crowd)["answered, to the moderators"]()
    assert len(answered) in (1, 2)
    assert len({it.message_id for it in answered}) == 1
    assert len(sink.taken) > mailed_before
    assert not rows(foyer, "SELECT id FROM jobs_job WHERE gave_up_at IS NOT NULL")
    eventually(lambda: not rows(foyer, "SELECT id FROM accounts_account WHERE state IN ('creating', 'unknown')"), foyer)


def _hang_at_the_last_step(chaos: ChaosProxy, names: dict[str, str]) -> Callable[[str, int], bool]:
    """Let the homeserver do each of these and never answer."""
    for path in names.values():
        method = "PUT" if "users" in path else "POST"
        chaos.add(Hang(forward=True), method, path)
    return lambda path, count: (
        sum(isinstance(seen.mode, Hang) and path in seen.path for seen in list(chaos.seen)) >= count
    )


def _in_vain(deed: Callable[[], object]) -> None:
    """Press while everything is killed: no answer is one, too."""
    try:
        deed()
    except (OSError, AssertionError):
        return


def test_two_moderators_who_press_at_once_make_one_decision_and_the_second_sees_whose(
    foyer: RunningFoyer, crowd: Crowd, anna: Browser, bert: Browser
) -> None:
    number = crowd.waiting.number
    presses = [(anna, "approve"), (bert, "deny"), (anna, "approve"), (bert, "deny")]
    for browser, decision in presses:
        assert browser.get(f"/desk/requests/{number}/{decision}").status == 200
    pages: list[Page] = []
    all_at_once(
        [lambda one=one: pages.append(one[0].post(f"/desk/requests/{number}/{one[1]}")) for one in presses]  # type: ignore[misc]
    )

    assert sorted(page.status for page in pages) == [303, 409, 409, 409]
    state, by = rows(foyer, "SELECT state, decided_by FROM applications_application WHERE id = ?", number)[0]
    assert (state, by) in (("approved", "staff:anna"), ("denied", "staff:bert"))
    for page in pages:
        if page.status == 409:
            assert by.partition(":")[2] in page.text
            assert re.search(r"<time[^>]*datetime|\d{1,2}:\d{2}", page.text)
    verbs = "('application.approved', 'application.denied')"
    told = rows(foyer, f"SELECT verb FROM audit_event WHERE verb IN {verbs} AND subject_id = ?", str(number))
    assert len(told) == 1


def test_scanner_that_opens_every_link_of_every_mail_changes_nothing(
    foyer: RunningFoyer, sink: Sink, crowd: Crowd, anna: Browser
) -> None:
    everybody_takes_a_step(crowd, foyer, anna)
    invite_by_mail(foyer, f"i{next(numbers)}")
    eventually(lambda: nothing_is_owed(foyer), foyer)
    names = {one.email for one in crowd.everybody()} | {TEAM}
    letters = [it for it in map(Letter, list(sink.taken)) if it.to in names or it.to.startswith("i")]
    links = sorted({link for it in letters for link in it.links() if f":{foyer.port}/" in link})
    kinds = ("/apply/confirm/", "/apply/", "/desk/requests/", "/i/")
    assert all(any(kind in link for link in links) for kind in kinds), links
    before = standing(foyer)

    for link in links:
        for method in ("HEAD", "GET", "GET"):
            path = "/" + link.partition(f":{foyer.port}/")[2].partition("#")[0]
            assert Browser(foyer).ask(method, path).status in (200, 303), link

    assert standing(foyer) == before
    assert crowd.new.state == "unverified"


def standing(foyer: RunningFoyer) -> list[list[tuple[Any, ...]]]:
    """Everything that a link could have changed."""
    return [
        rows(foyer, f"SELECT {columns} FROM {table} ORDER BY id")
        for table, columns in (
            ("applications_application", "id, state, email_verified_at, decided_by, code_tries"),
            ("invites_invite", "id, held, used, revoked_at"),
            ("accounts_account", "id, state"),
            ("notify_delivery", "id, state"),
        )
    ]


def test_homeserver_that_hangs_under_load_takes_no_page_with_it(
    foyer: RunningFoyer, chaos: ChaosProxy, synapse: Synapse
) -> None:
    code = foyer.invite("--uses", "unlimited")["code"]
    children = foyer.children()
    memory = _memory_megabytes(children)
    chaos.add(Hang())
    until = time.monotonic() + 4
    refused: list[str] = []
    took: list[float] = []

    def join() -> None:
        while time.monotonic() < until:
            page = Browser(foyer).post("/register", username=f"h{next(numbers)}", password=PASSWORD, token=code)
            assert page.status == 503, page.text
            refused.append(page.text)

    def look() -> None:
        while time.monotonic() < until:
            for path in (f"/i/{code}", "/apply", "/desk/sign-in", "/healthz", "/readyz"):
                begun = time.monotonic()
                status = Browser(foyer).get(path).status
                if path != "/readyz":  # which waits for the homeserver, for 1.5 s
                    took.append(time.monotonic() - begun)
                assert status == 200 or (path, status) == ("/readyz", 503)
            time.sleep(0.05)

    all_at_once([join] * 30 + [look] * 2)

    chaos.clear()
    # Slow is what waits for the homeserver's time-out, of two seconds here. The machine may be busy with other tests.
    assert sorted(took)[len(took) // 2] < 1
    assert sorted(took)[len(took) * 95 // 100] < 2
    assert all("invitation is still good" in text or "Many people are joining" in text for text in refused), refused[:2]
    assert _memory_megabytes(children) < memory + 40
    name = f"h{next(numbers)}"
    assert Browser(foyer).post("/register", username=name, password=PASSWORD, token=code).status == 303
    assert synapse.login(name, PASSWORD)[0] == 200
    assert foyer.children() == children


def _memory_megabytes(processes: list[int]) -> float:
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6
