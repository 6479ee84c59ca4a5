"""Two applicants for one name, a stranger and moderators, in every order, and in the midst of each other's requests.

Whenever a request waits for the homeserver, the others may act: before the homeserver has done it, and after. Nobody's
password or email is ever overwritten, a name has one owner, and in the end everybody gets in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import foyer.config
from foyer.accounts.models import Account
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, keys, queries, services
from foyer.applications.models import PENDING, Application, State
from foyer.config.load import check
from foyer.homeserver import make
from foyer.homeserver.memory import Fault, MemoryAccount, MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.jobs.models import Job
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names.models import Claim
from tests.applications.acts import ANNA, ANSWERS, BERT, let_time_pass
from tests.applications.conftest import OPEN
from tests.conftest import SERVER_NAME, VALUES
from tests.support.emptying import empty

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NAMES = ("maria", "maria2")
PEOPLE = ("first", "second")
ROOMS = {"applications", "accounts", "invites", "names", "notify", "jobs", "audit"}
FAULTS = (Fault.DOWN, Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.HALF_DONE, Fault.BUSY)


class Interrupted(MemoryHomeserver):
    """Lets others act while somebody waits for it."""

    meanwhile: list[Callable[[], None]]
    is_busy = False

    def _let_others_act(self) -> None:
        if self.meanwhile and not self.is_busy:
            self.is_busy = True
            try:
                self.meanwhile.pop()()
            finally:
                self.is_busy = False

    @contextmanager
    def _deed(self, deed: str) -> Iterator[Fault | None]:
        self._let_others_act()
        try:
            with super()._deed(deed) as fault:
                yield fault
        finally:
            self._let_others_act()

    @contextmanager
    def _second_step(self, deed: str) -> Iterator[None]:
        self._let_others_act()
        with super()._second_step(deed):
            yield


@dataclass
class Person:
    """Somebody who wants in, and what they know."""

    label: str
    application: Application
    password: str = ""
    presses: int = 0
    joined_as: str = field(default="")

    @property
    def email(self) -> str:
        return f"{self.label}@example.net"

    @property
    def row(self) -> Application:
        return Application.objects.get(id=self.application.id)


class Applicants(RuleBasedStateMachine):
    """The world, and what may happen next."""

    has_secret: bool

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(foyer.config.override(check({**VALUES, **OPEN})))
        self.homeserver = Interrupted(server_name=SERVER_NAME, has_secret=self.has_secret)
        self.homeserver.meanwhile = []
        self.homeserver.rooms = {"!1:example.test": "!1:example.test"}
        self.stack.enter_context(make.using(self.homeserver))
        self.people: dict[str, Person] = {}
        self.strangers: dict[str, str] = {}

    def teardown(self) -> None:
        try:
            if self.people:
                self.everybody_gets_in()
        finally:
            self.stack.close()
            _empty_tables()

    @initialize()
    def begin(self) -> None:
        _empty_tables()
        for label in PEOPLE:
            key = services.start("maria", f"{label}@example.net").key
            self.people[label] = Person(label, queries.by_key(key))

    # What one of them does. A refusal is an answer like any other; the invariants say whether it was right.

    def verify(self, person: Person) -> None:
        services.verify_by_code(person.application, keys.code(person.row))

    def choose(self, person: Person, name: str) -> None:
        services.choose_name(person.application, name)

    def submit(self, person: Person) -> None:
        person.presses += 1
        password = f"the {person.label} password {person.presses}"
        is_first = person.row.state == State.VERIFIED
        done = services.submit(person.application, ANSWERS, [], password, password)
        if is_first and not done.chooses_password_later:  # a press after all is done changes nothing
            person.password = password

    def withdraw(self, person: Person) -> None:
        services.withdraw(person.application)

    def approve(self, person: Person) -> None:
        decisions.approve(person.application.id, ANNA, at_once=True)

    def deny(self, person: Person) -> None:
        decisions.deny(person.application.id, BERT, at_once=True)

    def undo(self, person: Person) -> None:
        decisions.undo(person.application.id, ANNA)

    def reopen(self, person: Person) -> None:
        decisions.reopen(person.application.id, BERT)

    def join(self, person: Person) -> None:
        row = person.row
        invite = Invite.objects.filter(id=row.invite_id or 0).first()
        if row.state != State.APPROVED or invite is None:
            return
        person.presses += 1
        password = f"the {person.label} password {person.presses}"
        name = invite.localpart or f"free.{person.label}"
        open_with_invite(JoinAttempt(invite.code, name, password, email_key=invites.email_key(invite)))
        person.password, person.joined_as = password, name

    def stranger(self, name: str) -> None:
        """Somebody gets the name at the homeserver by another way."""
        if name not in self.homeserver.accounts:
            self.strangers[name] = f"the stranger password of {name}"
            self.homeserver.accounts[name] = MemoryAccount(
                name, created_at=now(), password=self.strangers[name], seen=True
            )

    def work(self) -> None:
        let_time_pass(0)

    def do(self, act: str, who: str, name: str) -> None:
        person = self.people[who]
        try:
            if act == "choose":
                self.choose(person, name)
            elif act == "stranger":
                self.stranger(name)
            elif act == "work":
                self.work()
            else:
                getattr(self, act)(person)
        except Refusal:
            return

    ACTS = ("verify", "choose", "submit", "withdraw", "approve", "deny", "undo", "reopen", "join", "stranger", "work")
    one_act = st.tuples(st.sampled_from(ACTS), st.sampled_from(PEOPLE), st.sampled_from(NAMES))
    likely = st.tuples(
        st.sampled_from(("verify", "submit", "submit", "approve", "deny", "join", "work")),
        st.sampled_from(PEOPLE),
        st.sampled_from(NAMES),
    )

    @precondition(lambda self: self.people)
    @rule(
        act=st.one_of(likely, one_act),
        meanwhile=st.lists(one_act, max_size=3),
        faults=st.lists(
            st.tuples(st.sampled_from(FAULTS), st.sampled_from(("*", "hold", "open", "shelve"))), max_size=1
        ),
    )
    def happen(
        self,
        act: tuple[str, str, str],
        meanwhile: list[tuple[str, str, str]],
        faults: list[tuple[Fault, str]],
    ) -> None:
        """One does something, and others in the midst of it."""
        # The same person does not press twice at once here: the second press waits, and there is one thread.
        others = [other for other in meanwhile if (other[0], other[1]) != ("submit", act[1]) or act[0] != "submit"]
        self.homeserver.meanwhile = [lambda other=other: self.do(*other) for other in others]  # type: ignore[misc]
        for fault, deed in faults:
            self.homeserver.fail(fault, deed)
        self.do(*act)
        self.homeserver.meanwhile = []
        self.homeserver.heal()

    @precondition(lambda self: self.people)
    @rule()
    def a_minute_passes(self) -> None:
        let_time_pass(60, every=20)

    @invariant()
    def strangers_keep_what_is_theirs(self) -> None:
        for name, password in self.strangers.items():
            account = self.homeserver.accounts[name]
            assert (account.password, account.locked, account.emails) == (password, False, [])

    @invariant()
    def names_have_one_owner(self) -> None:
        under_way = Application.objects.filter(state__in=PENDING).exclude(localpart="")
        claimed = dict(Claim.objects.values_list("localpart", "holder"))
        for row in under_way:
            assert claimed.get(row.localpart) in (row.holder, f"invite:{row.invite_id}", None) or (
                row.state == State.APPROVED
            )
            if row.state in (State.WAITING, State.ASKED):
                assert claimed.get(row.localpart) == row.holder

    @invariant()
    def who_is_in_has_the_password_and_email_of_their_own(self) -> None:
        for person in self.people.values():
            row = person.row
            if row.state != State.DONE:
                continue
            account = self.homeserver.accounts[person.joined_as or row.localpart]
            assert (account.password, account.locked) == (person.password, False)
            assert set(account.emails) <= {person.email}

    @invariant()
    def nobody_gets_in_without_a_yes(self) -> None:
        for person in self.people.values():
            if person.row.state in (State.APPROVED, State.DONE):
                continue
            for account in self.homeserver.accounts.values():
                if f" {person.label} password" in str(account.password):
                    assert account.locked or self.is_being_emptied(account.localpart)

    def is_being_emptied(self, localpart: str) -> bool:
        """Withdrawn while it was being opened: it is locked again as soon as the homeserver does it."""
        row = Account.objects.filter(localpart=localpart).latest("id")
        return row.state in UNSETTLED or Job.objects.filter(kind="accounts.shelve", subject=str(row.id)).exists()

    def everybody_gets_in(self) -> None:
        """However it went: when all is well again, nothing needs a hand, and each one can have an account."""
        self.homeserver.heal()
        let_time_pass(240, every=20)
        assert not Account.objects.filter(state__in=UNSETTLED).exists()
        for person in self.people.values():
            self.gets_in(person)
            row = person.row
            account = self.homeserver.accounts[person.joined_as or row.localpart]
            assert (row.state, account.password, account.locked) == (State.DONE, person.password, False)
            assert account.emails == [person.email]
        self.strangers_keep_what_is_theirs()
        self.who_is_in_has_the_password_and_email_of_their_own()
        claimed = dict(Claim.objects.values_list("localpart", "holder"))
        assert len(claimed) == len(PEOPLE)

    def gets_in(self, person: Person) -> None:
        if person.row.state in (State.WITHDRAWN, State.DENIED):
            person.application = queries.by_key(services.start("maria", person.email).key)
        if person.row.state == State.UNVERIFIED:
            self.verify(person)
        if person.row.state == State.VERIFIED:
            if not person.row.localpart:
                self.choose(person, f"{person.label}.own")
            try:
                self.submit(person)
            except Refusal:  # the name went to somebody else at the homeserver
                self.choose(person, f"{person.label}.own")
                self.submit(person)
        if person.row.state in (State.WAITING, State.ASKED):
            self.approve(person)
        let_time_pass(60, every=20)
        if person.row.state == State.APPROVED:
            services.choose_freely(person.application)
            self.join(person)
            let_time_pass(60, every=20)


def _empty_tables() -> None:
    every = connection.introspection.django_table_names(only_existing=True, include_views=False)
    empty(table for table in every if table.partition("_")[0] in ROOMS)


@pytest.mark.parametrize("has_secret", [True, False], ids=["both", "token"])
def test_two_applicants_for_one_name_at_every_interleaving(has_secret: bool) -> None:
    machine = type("Machine", (Applicants,), {"has_secret": has_secret})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10 if connection.vendor == "postgresql" else 25,
            stateful_step_count=12,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
