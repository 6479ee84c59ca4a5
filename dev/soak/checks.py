"""What must be true after a bad day, whatever happened on it. Each check says what it found wrong, a sentence each."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dev.soak.applicants import Applicant
from dev.soak.house import MODERATOR, ROOM
from dev.soak.people import Outcome, Person
from dev.soak.records import Records, Row
from dev.synapse import Synapse

GONE = "refused"
UNSETTLED = ("creating", "unknown")
PENDING = ("verified", "waiting", "asked", "approved")
LET_GO = ("denied", "lapsed", "withdrawn", "expired")
"""What became of an application whose held account may be somebody else's since."""
YES = ("applications.approved", "applications.opening-failed")
MAY_STAY_OWED = ("applications.digest", "accounts.look-again")
OF_THE_LOG = re.compile(r"Traceback \(most recent call last\)|job broke|database is locked|deadlock detected")


@dataclass
class Aftermath:
    """All that can be asked after the day."""

    records: Records
    synapse: Synapse
    people: Sequence[Person]
    mails: Sequence[EmailMessage]
    logs: Sequence[Path]
    facts: dict[str, Any] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Everything that is wrong."""
        checks = (
            self.of_accounts, self.of_causes, self.of_invitations, self.of_names, self.of_jobs, self.of_mails,
            self.of_sign_ins, self.of_emails_and_rooms, self.of_people, self.of_logs,
        )  # fmt: skip
        return [problem for check in checks for problem in check()]

    @cached_property
    def accounts(self) -> list[Row]:
        """The rows of Foyer's accounts."""
        return self.records.rows("accounts_account")

    @cached_property
    def applications(self) -> list[Row]:
        """The rows of applications."""
        return self.records.rows("applications_application")

    @cached_property
    def uses(self) -> list[Row]:
        """The uses of invitations."""
        return self.records.rows("invites_use")

    @cached_property
    def emails(self) -> dict[int, str]:
        """Number of an account → the email that was proven for it."""
        kept = (row for row in self.applications if row["state"] not in LET_GO)
        return {row["account_id"]: row["email"] for row in kept if row["account_id"] is not None}

    @cached_property
    def claims(self) -> dict[str, str]:
        """Localpart → who has it."""
        return {row["localpart"]: row["holder"] for row in self.records.rows("names_claim")}

    @cached_property
    def users(self) -> dict[str, dict[str, Any]]:
        """What Synapse has: localpart → its own words."""
        return {user["name"][1:].partition(":")[0]: user for user in self.synapse.users()}

    @cached_property
    def let_in(self) -> dict[str, set[int]]:
        """Who of those that ever typed a password for a name can sign in with it: localpart → their numbers."""
        found: dict[str, set[int]] = defaultdict(set)
        tried = {(typed.localpart, typed.password): who.number for who in self.people for typed in who.typed}
        for (localpart, password), number in tried.items():
            if self.synapse.login(localpart, password)[0] == 200:
                found[localpart].add(number)
        self.facts["sign-ins tried"] = len(tried)
        return found

    def of_accounts(self) -> Iterator[str]:
        """Synapse's accounts and our rows are the same; what is not open is locked; nothing is half made."""
        rows = defaultdict(list)
        for row in self.accounts:
            if row["state"] != GONE:
                rows[row["localpart"]].append(row)
            if row["state"] in UNSETTLED:
                yield f"account {row['id']} ({row['localpart']}) is still {row['state']}"
        for name in sorted(set(self.users) | set(rows)):
            user, mine = self.users.get(name), rows.get(name, [])
            if user is None:
                yield f"{name} is {mine[0]['state']} here, and Synapse has no such account"
            elif len(mine) != 1:
                yield f"Synapse has {name}, and here are {len(mine)} rows for it: {self._told(name)}"
            elif bool(user.get("locked")) != (mine[0]["state"] != "open") or user.get("deactivated"):
                yield f"{name} is {mine[0]['state']} here, and at Synapse locked is {user.get('locked')}"
        self.facts["accounts"] = Counter(row["state"] for row in self.accounts)

    def of_causes(self) -> Iterator[str]:
        """Every open account has one cause, and every cause one account at most."""
        by_account = defaultdict(list)
        for row in self.applications:
            if row["account_id"] is not None and row["state"] not in LET_GO:
                by_account[row["account_id"]].append(row)
            elif row["state"] == "done":
                yield f"application {row['id']} is done, and has no account"
        let_go = [row for row in self.applications if row["state"] in LET_GO]
        for account in self.accounts:
            spent = [use for use in self.uses if use["holder"] == f"account:{account['id']}" and use["spent_at"]]
            causes = by_account[account["id"]]
            causes += [row for row in let_go if account["made_for"] == f"application:{row['id']}"]
            if account["state"] == "open":
                yield from self._of_one_cause(account, spent, causes)
            elif spent:
                yield f"account {account['id']} is {account['state']}, and a use was spent for it"
            elif account["state"] == "held" and self.claims.get(account["localpart"]) != account["made_for"]:
                yield f"account {account['id']} is held for {account['made_for']}, who has not the name"

    def _of_one_cause(self, account: Row, spent: list[Row], causes: list[Row]) -> Iterator[str]:
        """An open account came of one use, or of one application, or of the use of one application's link."""
        links = {row["invite_id"]: row for row in self.applications if row["invite_id"] is not None}
        of_link = [links[use["invite_id"]] for use in spent if use["invite_id"] in links]
        by_use = len(spent) == 1 and of_link == causes
        by_yes = not spent and [f"application:{row['id']}" for row in causes] == [account["made_for"]]
        if not (by_use or by_yes):
            yield f"account {account['id']} has {len(spent)} uses and {len(causes)} applications as causes"
        if any(row["state"] != "done" for row in causes):
            yield f"account {account['id']} is open, and its application is {causes[0]['state']}"

    def of_invitations(self) -> Iterator[str]:
        """No use is lost, and none counted twice."""
        accounts = {f"account:{row['id']}": row for row in self.accounts}
        invites = self.records.rows("invites_invite")
        for invite in invites:
            mine = [use for use in self.uses if use["invite_id"] == invite["id"]]
            spent = [use for use in mine if use["spent_at"]]
            made = [use for use in mine if accounts[use["holder"]]["state"] == "open"]
            counted = (invite["used"], invite["held"])
            if counted != (len(spent), 0) or len(mine) != len(spent) or len(made) != len(spent):
                holders = ", ".join(f"{use['holder']} is {accounts[use['holder']]['state']}" for use in mine)
                yield f"invitation {invite['code']}: used and held are {counted}, its uses {len(mine)}: {holders}"
            if invite["uses_limit"] is not None and invite["used"] > invite["uses_limit"]:
                yield f"invitation {invite['code']} was used {invite['used']} of {invite['uses_limit']} times"
        self.facts["uses spent"] = sum(invite["used"] for invite in invites)

    def of_names(self) -> Iterator[str]:
        """Every claim belongs to somebody who has a right to it, and every open account has its claim."""
        rightful = {f"account:{row['id']}": row["localpart"] for row in self.accounts if row["state"] == "open"}
        pending = [row for row in self.applications if row["state"] in PENDING]
        rightful |= {f"application:{row['id']}": row["localpart"] for row in pending}
        rightful |= {f"invite:{row['invite_id']}": row["localpart"] for row in pending if row["invite_id"]}
        for localpart, holder in self.claims.items():
            if rightful.get(holder) != localpart:
                yield f"the name {localpart} is claimed by {holder}, which has no right to it: {self._told(localpart)}"
        for row in self.accounts:
            if row["state"] == "open" and self.claims.get(row["localpart"]) != f"account:{row['id']}":
                yield f"account {row['id']} is open, and its name is {self.claims.get(row['localpart'])}'s"

    def of_jobs(self) -> Iterator[str]:
        """Nothing was given up, nothing is owed any more, and no row needs a hand."""
        for job in self.records.rows("jobs_job"):
            if job["gave_up_at"]:
                yield f"the job {job['kind']} {job['subject']} was given up: {job['last_error']}"
            elif job["kind"] not in MAY_STAY_OWED and job["subject"]:
                tries = f"{job['attempts']} tries, {job['last_error']}"
                yield f"the job {job['kind']} {job['subject']} is still owed ({tries})"
        for verb in ("account.needs-a-decision", "account.settled-by-presence", "job.gave-up"):
            for event in self.records.rows("audit_event", f"verb = '{verb}'"):
                yield f"{verb}: {event['subject_kind']} {event['subject_id']} {event['facts']}"

    def of_mails(self) -> Iterator[str]:
        """Every mail that was owed came, and its copies have one Message-ID."""
        copies = defaultdict(list)
        for mail in self.mails:
            copies[str(mail["Message-ID"])].append(str(mail["X-Envelope-To"]))
        deliveries = self.records.rows("notify_delivery")
        known = {row["message_id"] for row in deliveries}
        withdrew = {who.email for who in self.people if isinstance(who, Applicant) and who.asked_to_withdraw}
        erased = withdrew | {MODERATOR} if withdrew else withdrew  # with a request go the records of its mails
        for row in deliveries:
            came = copies.get(row["message_id"], [])
            if row["state"] not in ("sent", "dropped"):
                yield f"{row['kind']} about {row['subject']} is {row['state']}: {row['last_error']}"
            elif row["state"] == "sent" and not came:
                yield f"{row['kind']} about {row['subject']} counts as sent, and never came"
            if len(set(came)) > 1:
                yield f"{row['kind']} about {row['subject']} came to {sorted(set(came))}"
        for message_id, to in copies.items():
            if message_id not in known and not set(to) <= erased:
                yield f"a mail came to {to[0]} that nobody owed"
        yield from self._decisions_told(deliveries)
        self.facts["mails owed"] = len(deliveries)
        self.facts["mails that came twice"] = sum(len(to) > 1 for to in copies.values())

    def _decisions_told(self, deliveries: list[Row]) -> Iterator[str]:
        told = Counter((row["subject"], row["kind"]) for row in deliveries if row["state"] == "sent")
        received = Counter(row["subject"] for row in deliveries if row["kind"] == "applications.received")
        for row in self.applications:
            holder = f"application:{row['id']}"
            yes, no = sum(told[holder, kind] for kind in YES), told[holder, "applications.denied"]
            wanted = {"done": (1, 0), "approved": (1, 0), "denied": (0, 1)}.get(row["state"], (0, 0))
            if (yes, no) != wanted:
                yield f"{holder} is {row['state']}, and was mailed {yes} times yes and {no} times no"
            if row["submitted_at"] and row["state"] != "withdrawn" and received[holder] != 1:
                yield f"{holder} was submitted, and {received[holder]} mails were owed that say so"

    def of_sign_ins(self) -> Iterator[str]:
        """Everybody who was told that they are in can sign in; who has an account is its person; nobody else can."""
        numbers = {who.number: who for who in self.people}
        codes = {use["holder"]: use["code"] for use in self.uses}
        is_open = {row["localpart"]: row for row in self.accounts if row["state"] == "open"}
        for name, row in is_open.items():
            able = self.let_in.get(name, set())
            if len(able) != 1:
                yield f"{name} is open, and of all who typed a password for it {sorted(able)} can sign in"
                continue
            who = numbers[next(iter(able))]
            code = codes.get(f"account:{row['id']}")
            mine = {typed.code for typed in who.typed}
            right = code in mine if code else getattr(who, "email", "") == self.emails.get(row["id"])
            if not right:
                yield f"person {who.number} can sign in as {name}, which another's cause paid for"
        for name in set(self.let_in) - set(is_open):
            yield f"{sorted(self.let_in[name])} can sign in as {name}, which is not open here: {self._told(name)}"
        for who in self.people:
            if who.told_in_as and who.number not in self.let_in.get(who.told_in_as, set()):
                yield f"person {who.number} was told that they are in as {who.told_in_as}, and cannot sign in"
            if who.outcome == Outcome.DENIED and any(who.number in able for able in self.let_in.values()):
                yield f"person {who.number} was denied, and can sign in"

    def of_emails_and_rooms(self) -> Iterator[str]:
        """Proven emails stand at their accounts and at no others; who is in is in the room as well."""
        members = self._members()
        for row in self.accounts:
            if row["state"] == GONE:
                continue
            user = self.synapse.user(row["localpart"]) or {}
            has = [it["address"] for it in user.get("threepids", [])]
            wants = [self.emails[row["id"]]] if row["state"] == "open" and row["id"] in self.emails else []
            if has != wants:
                yield f"{row['localpart']} ({row['state']}) has the emails {has} at Synapse, and should have {wants}"
            if row["state"] == "open" and row["localpart"] not in members:
                yield f"{row['localpart']} is not in the room"

    def _members(self) -> set[str]:
        alias = quote(f"#{ROOM}:{self.synapse.server_name}", safe="")
        room = self.synapse.admin("GET", f"/_matrix/client/v3/directory/room/{alias}")[1]["room_id"]
        joined = self.synapse.admin("GET", f"/_matrix/client/v3/rooms/{quote(room)}/joined_members")[1]["joined"]
        return {mxid[1:].partition(":")[0] for mxid in joined}

    def of_people(self) -> Iterator[str]:
        """What people themselves complained of."""
        for who in self.people:
            for fault in who.faults:
                yield f"person {who.number} ({type(who).__name__.lower()}): {fault}"
            if who.outcome == Outcome.GAVE_UP:
                yield f"person {who.number} ({type(who).__name__.lower()}) lost patience"

    def of_logs(self) -> Iterator[str]:
        """No traceback, no job that broke."""
        for log in self.logs:
            lines = log.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if OF_THE_LOG.search(line):
                    yield f"{log.parent.name} logged: {' / '.join(lines[max(0, number - 1) : number + 40])[-1500:]}"

    def _told(self, localpart: str) -> str:
        """All that is known of a name, for whoever looks for the fault."""
        rows = [row for row in self.accounts if row["localpart"] == localpart]
        return "; ".join(f"account {row['id']} {row['state']} {row['reason']} {row['made_for']}" for row in rows)
