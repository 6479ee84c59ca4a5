"""The day itself: everything started, people sent in, the weather turned, the reaper let loose; then the reckoning."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dev.mailcatcher import MailCatcher
from dev.soak import house
from dev.soak.applicants import Applicant
from dev.soak.checks import MAY_STAY_OWED, Aftermath
from dev.soak.moderators import DESK_NAME, DESK_PASSWORD, AtTheDesk, ByCommand, Moderator
from dev.soak.people import Newcomer, Outcome, Person
from dev.soak.plan import SECONDS_TO_SETTLE, Plan
from dev.soak.reaper import Reaper
from dev.soak.records import Records
from dev.soak.visitor import Visitor
from dev.soak.weather import Network, Post
from dev.synapse import Synapse

LOOK_EVERY_SECONDS = 0.05
LATECOMERS = 5
SECONDS_TO_FINISH = 240.0
NAMES = ("maria", "paula", "tom", "ada", "kim", "noor", "jun", "ines", "olu", "sam")


@dataclass
class Report:
    """What came of it."""

    plan: Plan
    people: Counter[str]
    kills: list[str]
    network: Counter[str]
    mail: Counter[str]
    deeds: Counter[str]
    seconds_to_settle: float
    facts: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def text(self, seconds: float) -> str:
        """Say it in plain words."""
        facts = dict(self.facts)
        lines = [
            f"People: {_counted(self.people)}.",
            f"Moderators: {_counted(self.deeds)}.",
            f"Killed {len(self.kills)} times: " + "; ".join(self.kills) + ".",
            f"Requests to the homeserver: {_counted(self.network)}.",
            f"Mail server: {_counted(self.mail) or 'as always'}.",
            f"Accounts: {_counted(facts.pop('accounts', Counter()))}. "
            + " ".join(f"{name.capitalize()}: {value}." for name, value in facts.items()),
            f"After the last kill nothing was half made any more within {self.seconds_to_settle:.1f} s.",
        ]
        lines += [f"WRONG: {problem}" for problem in self.problems]
        verdict = f"{len(self.problems)} things are wrong." if self.problems else "Nothing was lost."
        return "\n".join([*(f"  {line}" for line in lines), f"  {verdict} It took {seconds:.0f} s in all."])


def _counted(of: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(of.items()))


class Day:
    """One run of one plan. Use it in a `with`, in the main thread."""

    def __init__(self, plan: Plan, folder: Path, database: str) -> None:
        """Prepare it. `database`: the address of an empty PostgreSQL database; empty: SQLite on the first machine."""
        self.plan, self.folder, self._database = plan, folder, database
        self._stack = ExitStack()
        self._over = threading.Event()
        self._dice = plan.chance("people")

    def __enter__(self) -> Self:
        plan = self.plan
        try:
            self.synapse = self._stack.enter_context(Synapse.start(self.folder / "synapse"))
            room = {"room_alias_name": house.ROOM, "preset": "public_chat"}
            self.synapse.admin("POST", "/_matrix/client/v3/createRoom", room)
            self.network = self._stack.enter_context(Network(self.synapse.url, plan))
            self.mails = self._stack.enter_context(MailCatcher.start())
            self.post = Post(self.mails, plan)
            self.machines = house.build(
                self.folder,
                plan,
                database=self._database,
                homeserver=self.network.url,
                synapse=self.synapse,
                mail_port=self.mails.port,
            )
            self.records = Records(str(self.machines[0].config["database"]))
            for machine in self.machines:
                self._stack.callback(machine.stop)
            self.machines[0].command("migrate")
            for machine in self.machines:
                machine.start()
            for machine in self.machines:
                machine.wait()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._stack.close()

    def live(self) -> Report:
        """Let it happen, and reckon."""
        people = self._people()
        moderators = self._moderators()
        reaper = Reaper(self.plan, self.machines, self.network, self.post)
        threads = [threading.Thread(target=self._send_in, args=(who,), daemon=True) for who in people]
        judges = [threading.Thread(target=one.run, daemon=True) for one in moderators]
        self._began = time.monotonic()
        self.network.is_bad = True
        self.post.begin()
        reaper.begin()
        for thread in [*threads, *judges]:
            thread.start()
        self._storm(reaper)
        self.network.is_bad = False
        self.post.clear()
        settled = self._settle()
        problems = (
            [] if settled <= SECONDS_TO_SETTLE else [f"something was half made for {settled:.0f} s after the last kill"]
        )
        self._until_over(threads)
        self._until_quiet()
        self._over.set()
        for thread in judges:
            thread.join(30)
        people += self._latecomers(len(people))
        self._until_quiet()
        problems += [fault for one in moderators for fault in one.faults]
        return self._report(people, moderators, reaper, settled, problems)

    def _people(self) -> list[Person]:
        """Half of them with an invitation of their own, most others sharing one; and as many who apply."""
        plan, dice = self.plan, self._dice
        codes = self._codes()
        made: list[Person] = []
        for number in range(2 * plan.people):
            is_applicant = number >= plan.people
            name = f"{NAMES[number % len(NAMES)]}{number}"
            arrives = dice.uniform(0, plan.seconds * 0.8)
            if number % 10 == 9:  # at one name with the last one, at the same moment
                name, arrives = made[-1].name, made[-1].arrives_at + dice.uniform(0, 0.05)
            common: dict[str, Any] = {
                "number": number,
                "dice": plan.chance(f"person {number}"),
                "ports": [machine.port for machine in self.machines],
                "arrives_at": arrives,
                "deadline": 0.0,
                "is_over": self._over,
                "name": name,
            }
            if is_applicant:
                made.append(Applicant(**common, mails=self.mails))
                continue
            if number % 10 == 4:  # at a one-use code with the last one
                codes.insert(0, made[-1].code)  # type: ignore[attr-defined]
                common["arrives_at"] = made[-1].arrives_at + dice.uniform(0, 0.05)
            made.append(Newcomer(**common, code=codes.pop(0)))
        return made

    def _codes(self) -> list[str]:
        """Most with one use, some that eight share, of whom five can come."""
        singles = self._invite("--count", str(self.plan.people))
        shared = [
            code for code in self._invite("--uses", "5", "--count", str(1 + self.plan.people // 25)) for _ in "12345678"
        ]
        together = singles[: max(0, self.plan.people - len(shared))] + shared
        self._dice.shuffle(together)
        return together

    def _invite(self, *words: str) -> list[str]:
        made = json.loads(self.machines[0].command("invite", "create", "--json", *words))
        return [one["code"] for one in (made if isinstance(made, list) else [made])]

    def _moderators(self) -> list[Moderator]:
        plan = self.plan
        made: list[Moderator] = [ByCommand(plan.chance("command"), self._over, machines=self.machines)]
        if plan.has_desk:
            create = ("staff", "create", DESK_NAME, "--role", "moderator", "--password-stdin")
            self.machines[0].command(*create, stdin=f"{DESK_PASSWORD}\n")
            visitor = Visitor([machine.port for machine in self.machines], plan.chance("visits"), 0.0, 0.03)
            made.append(AtTheDesk(plan.chance("desk"), self._over, visitor=visitor))
        return made

    def _send_in(self, who: Person) -> None:
        time.sleep(max(0.0, self._began + who.arrives_at - time.monotonic()))
        who.began = self._began
        who.deadline = self._began + self.plan.seconds + self.plan.patience_seconds
        who.run()

    def _storm(self, reaper: Reaper) -> None:
        """Until the last kill. Halfway the owner changes the configuration, and restarts in order."""
        is_changed = False
        while not reaper.is_done:
            time.sleep(LOOK_EVERY_SECONDS)
            reaper.turn()
            self.post.turn()
            for machine in self.machines:
                machine.tend()
            if not is_changed and time.monotonic() - self._began > self.plan.seconds / 2:
                is_changed = True
                for machine in self.machines:
                    machine.stop()
                    machine.configure(application={"password": "when_approved"})
                    machine.start()

    def _settle(self) -> float:
        """Wait until all that was half made at the last kill was settled; returns the seconds that took."""
        began, last = time.monotonic(), 0.0
        left = self._unsettled()
        while left and time.monotonic() - began < 4 * SECONDS_TO_SETTLE:
            self._tend(0.25)
            left &= self._unsettled()
            last = time.monotonic() - began
        return last

    def _unsettled(self) -> set[int]:
        return {row["id"] for row in self.records.rows("accounts_account", "state IN ('creating', 'unknown')")}

    def _until_over(self, threads: list[threading.Thread]) -> None:
        """Wait until everybody's day has ended. Their patience is finite."""
        while any(thread.is_alive() for thread in threads):
            self._tend(0.2)

    def _until_quiet(self) -> None:
        """Wait until nothing is owed any more, and the moderators have nobody waiting."""
        deadline = time.monotonic() + SECONDS_TO_FINISH
        owed = " AND ".join(f"kind <> '{kind}'" for kind in MAY_STAY_OWED)
        while time.monotonic() < deadline:
            jobs = self.records.count("jobs_job", f"gave_up_at IS NULL AND subject <> '' AND {owed}")
            waiting = self.records.count("applications_application", "state = 'waiting'")
            joined = self.records.count(
                "applications_application",
                "state = 'approved' AND invite_id IN (SELECT id FROM invites_invite WHERE used > 0)",
            )
            if not jobs and not joined and (not waiting or self._over.is_set()):
                return
            self._tend(0.5)

    def _tend(self, seconds: float) -> None:
        time.sleep(seconds)
        for machine in self.machines:
            machine.tend()

    def _latecomers(self, number: int) -> list[Person]:
        """What is left of invitations can be used: by one more for some of them, when all is calm."""
        left = self.records.rows("invites_invite", "uses_limit > used AND label = '' AND expires_at IS NOT NULL")
        made: list[Person] = []
        for invite in left[:LATECOMERS]:
            who = Newcomer(
                number=number + len(made),
                dice=self.plan.chance(f"latecomer {invite['code']}"),
                ports=[machine.port for machine in self.machines],
                arrives_at=0,
                deadline=time.monotonic() + 60,
                is_over=self._over,
                name=f"late{number + len(made)}",
                code=invite["code"],
                began=self._began,
            )
            who.outcome = who.join(f"/i/{who.code}", who.name, may_rename=False)
            if who.outcome != Outcome.IN:
                who.fault(f"an invitation with uses left did not let them in: {who.outcome}")
            made.append(who)
        return made

    def _report(
        self, people: list[Person], moderators: list[Moderator], reaper: Reaper, settled: float, problems: list[str]
    ) -> Report:
        logs = [machine.log for machine in self.machines]
        after = Aftermath(self.records, self.synapse, people, list(self.mails.messages), logs)
        problems += after.problems()
        if problems:
            self._keep(people)
        return Report(
            plan=self.plan,
            people=Counter(f"{type(who).__name__.lower()}s {who.outcome}" for who in people),
            kills=[str(kill) for kill in reaper.kills],
            network=self.network.done,
            mail=self.post.done,
            deeds=sum((one.deeds for one in moderators), Counter()),
            seconds_to_settle=settled,
            facts=after.facts,
            problems=problems,
        )

    def _keep(self, people: list[Person]) -> None:
        """Write the diaries down."""
        folder = self.folder / "diaries"
        folder.mkdir()
        for who in people:
            facts = [
                f"{who.number} {who.name} {who.outcome} {getattr(who, 'code', '')}",
                *(f"{it} {it.password!r}" for it in who.typed),
            ]
            (folder / f"{who.number:03}.txt").write_text("\n".join([*facts, *who.diary]) + "\n")
