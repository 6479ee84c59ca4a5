"""`foyer backup` and `foyer restore`, on both databases, with real processes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from dev.postgres import Postgres
from foyer.accounts.models import Account
from foyer.invites.models import Invite
from tests.cli.conftest import Foyer
from tests.support.server import RunningFoyer, command, environment, running_foyer

KINDS = ("sqlite", "postgresql")


class Stopped(Protocol):
    """Makes a Foyer that has a configuration and a database, and does not run."""

    def __call__(self, kind: str = "sqlite", *, filled: bool = True, **config: Any) -> RunningFoyer: ...


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], str]:
    """Return a maker of databases: of a kind, with or without rows. Each is migrated and filled once, then copied."""
    folder = tmp_path_factory.mktemp("templates")
    names: dict[tuple[str, bool], str] = {}

    def server() -> Postgres:
        found: Postgres = request.getfixturevalue("postgres")
        return found

    def build(kind: str, filled: bool) -> str:
        name = f"backup_{kind}_{filled}".lower()
        database = "sqlite" if kind == "sqlite" else server().create_database(f"{name}_{secrets.token_hex(4)}")
        with running_foyer(folder, database, start=False) as foyer:
            foyer.write_config()
            foyer.cli("migrate")
            if filled:
                fill(foyer)
            return str(foyer.folder / "foyer.sqlite3") if kind == "sqlite" else database.rpartition("/")[2]

    def copy(kind: str, filled: bool) -> str:
        if (kind, filled) not in names:
            names[kind, filled] = build(kind, filled)
        if kind == "sqlite":
            return names[kind, filled]
        return server().create_database(f"backup_{secrets.token_hex(6)}", template=names[kind, filled])

    return copy


@pytest.fixture
def stopped(tmp_path: Path, templates: Callable[[str, bool], str]) -> Iterator[Stopped]:
    """Return a maker of Foyers."""
    with ExitStack() as stack:

        def make(kind: str = "sqlite", *, filled: bool = True, **config: Any) -> RunningFoyer:
            found = templates(kind, filled)
            database = "sqlite" if kind == "sqlite" else found
            foyer = stack.enter_context(running_foyer(tmp_path, database, start=False, **config))
            foyer.write_config()
            if kind == "sqlite":
                shutil.copy(found, foyer.folder / "foyer.sqlite3")
            return foyer

        yield make


def fill(foyer: RunningFoyer) -> None:
    """Put something into every table, with all that is hard to carry over."""
    program = """
from datetime import UTC, datetime
from foyer.accounts.models import Account
from foyer.applications.models import Application, Haystack, Message
from foyer.invites import services
from foyer.invites.models import Invite, Use
from foyer.jobs.models import Job, Schedule
from foyer.kit.actor import Actor
from foyer.names.models import Claim
moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
invite = Invite.objects.create(code="Odd~Code", label="¡olé! 🎉 \\u2028 'quoted' \\\\ 50%", message="two\\nlines",
    rooms=["#a:example.org", "!b:c"], expires_at=moment, created_by="command-line", created_at=moment)
account = Account.objects.create(localpart="maria", ip="2001:db8::1", rooms=["#a:example.org"], begun_at=moment)
Use.objects.create(invite=invite, code=invite.code, holder="account:1", ip="192.0.2.1", at=moment)
Use.objects.create(invite=None, code="Deleted", holder="account:2")
Job.objects.create(lane="house", kind="accounts.sweep", subject="", next_attempt_at=datetime(2099, 1, 1, tzinfo=UTC))
Schedule.objects.create(name="accounts.sweep", next_run_at=datetime(2099, 1, 1, tzinfo=UTC))
Claim.objects.create(localpart="maria", holder="account:1")
application = Application.objects.create(localpart="anna", email="anna@example.org", key_digest="a" * 64)
Haystack.objects.create(application=application, text="anna who plays the violoncello")
Message.objects.create(application=application, by="applicant", text="Hello?")
services.create(services.NewInvite(code="Second", uses_limit=None), actor=Actor.command_line())
"""
    foyer.cli("django", "shell", "--no-imports", "-c", program)


def everything(foyer: RunningFoyer) -> dict[str, list[Any]]:
    """Return all rows of all tables, as the database itself gives them."""
    url = str(foyer.config["database"])
    with ExitStack() as stack:
        if url.startswith("sqlite"):
            connection: Any = stack.enter_context(closing(sqlite3.connect(foyer.folder / "foyer.sqlite3")))
            # Not the tables behind a search index: they follow the rows.
            tables = "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        else:
            connection = stack.enter_context(psycopg.connect(url))
            tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        names = sorted(row[0] for row in connection.execute(tables).fetchall())
        kept = [name for name in names if name not in {"django_migrations", "screening_counter"}]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in kept}


@pytest.mark.parametrize("kind", KINDS)
def test_backup_is_private_and_says_what_is_in_it(stopped: Stopped, kind: str) -> None:
    foyer = stopped(kind)
    said = foyer.cli("backup", "one.backup")
    path = foyer.folder / "one.backup"
    assert said.stdout.startswith("Written: one.backup (")
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("backup.json"))
    assert manifest["rows"]["invites_invite"] == 2
    assert manifest["server_name"] == "localhost"
    assert sorted(foyer.folder.glob(".*")) == []


def test_backup_signs_nobody_in(stopped: Stopped) -> None:
    foyer = stopped()
    program = "from django.contrib.sessions.backends.db import SessionStore; s = SessionStore(); s['a'] = 1; s.save()"
    foyer.cli("django", "shell", "--no-imports", "-c", program)
    foyer.cli("backup", "one.backup")

    with zipfile.ZipFile(foyer.folder / "one.backup") as archive:
        assert json.loads(archive.read("backup.json"))["rows"]["django_session"] == 0
        assert archive.read("tables/django_session.jsonl") == b""


def test_backup_into_a_folder_names_the_file_after_the_time(stopped: Stopped) -> None:
    foyer = stopped()
    (foyer.folder / "kept").mkdir()
    foyer.cli("backup", "kept")
    (path,) = (foyer.folder / "kept").iterdir()
    assert path.match("foyer-20??-??-??-??????.backup")


def test_backup_never_replaces_a_file_unasked(stopped: Stopped) -> None:
    foyer = stopped()
    path = foyer.folder / "kept"
    path.write_text("precious")
    refused = foyer.cli("backup", "kept", check=False)
    assert refused.returncode == 1
    assert refused.stderr == "kept exists. Replace it? Nobody is there to answer; add --yes to go ahead.\n"
    assert path.read_text() == "precious"
    foyer.cli("backup", "kept", "--yes")
    assert zipfile.is_zipfile(path)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere/x.backup", "The folder nowhere does not exist. Create it first.\n"),
    ],
)
def test_backup_into_nowhere_says_so(stopped: Stopped, target: str, said: str) -> None:
    done = stopped().cli("backup", target, check=False)
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("kind", KINDS)
def test_restore_brings_back_every_row_as_it_was(stopped: Stopped, kind: str) -> None:
    foyer = stopped(kind)
    before = everything(foyer)
    foyer.cli("backup", "one.backup")
    foyer.cli("invite", "delete", "--yes", "Second")
    foyer.invite("--code", "Third")
    said = foyer.cli("restore", "one.backup", "--yes")
    assert said.stdout == f"Restored: {sum(len(rows) for rows in before.values())} rows.\n"
    assert everything(foyer) == before


@pytest.mark.parametrize("direction", ["sqlite to postgresql", "postgresql to sqlite"])
def test_restore_into_the_other_database(stopped: Stopped, direction: str) -> None:
    kinds = direction.split(" to ")
    source, target = stopped(kinds[0]), stopped(kinds[1], filled=False)
    source.cli("backup", "one.backup")
    target.cli("restore", str(source.folder / "one.backup"))
    target.cli("backup", "other.backup")
    assert lines(target.folder / "other.backup") == lines(source.folder / "one.backup")
    program = (
        "from foyer.applications.models import Haystack as H; print(H.objects.filter(text__icontains='LONCEL').count())"
    )
    assert target.cli("django", "shell", "--no-imports", "-c", program).stdout == "1\n"
    if kinds[1] == "sqlite":
        check = "INSERT INTO applications_search(applications_search, rank) VALUES('integrity-check', 1)"
        with closing(sqlite3.connect(target.folder / "foyer.sqlite3")) as connection:
            connection.execute(check)  # raises where the index does not fit the rows
    made = target.invite("--code", "AfterTheRestore")  # numbers go on after the highest
    assert made["code"] == "AfterTheRestore"


def lines(path: Path) -> dict[str, bytes]:
    """Return the rows of a backup."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith("tables/")}


def test_restore_into_a_database_that_is_not_there_yet_makes_it(stopped: Stopped) -> None:
    foyer = stopped()
    before = everything(foyer)
    foyer.cli("backup", "one.backup")
    for path in foyer.folder.glob("foyer.sqlite3*"):
        path.unlink()
    foyer.cli("restore", "one.backup")
    assert everything(foyer) == before


def test_restore_asks_before_it_replaces_anything(stopped: Stopped) -> None:
    foyer = stopped()
    before = everything(foyer)
    foyer.cli("backup", "one.backup")
    done = foyer.cli("restore", "one.backup", check=False)
    assert done.returncode == 1
    assert "(2 invitations, 1 account) by the backup of 20" in done.stderr
    assert done.stderr.endswith("Nobody is there to answer; add --yes to go ahead.\n")
    assert everything(foyer) == before


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _flip(path: Path) -> None:
    """Turn a bit over in the middle of the largest member."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda member: member.compress_size)
    header = largest.header_offset
    begin = header + 30 + sum(int.from_bytes(content[header + at : header + at + 2], "little") for at in (26, 28))
    content[begin + largest.compress_size // 2] ^= 0x01
    path.write_bytes(content)


def _other_file(path: Path) -> None:
    path.write_text("This is no backup.\n")


def _rewritten(change: Callable[[dict[str, bytes]], None]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return rewrite


def _without_manifest(members: dict[str, bytes]) -> None:
    del members["backup.json"]


def _without_a_row(members: dict[str, bytes]) -> None:
    members["tables/invites_invite.jsonl"] = members["tables/invites_invite.jsonl"].split(b"\n", 1)[1]


def _without_a_table(members: dict[str, bytes]) -> None:
    del members["tables/names_claim.jsonl"]


def _with_a_bad_time(members: dict[str, bytes]) -> None:
    name = "tables/accounts_account.jsonl"
    members[name] = members[name].replace(b"2026-03-29T01:30", b"2026-03-99T01:30")


def _with_a_bad_row(members: dict[str, bytes]) -> None:
    members["tables/names_claim.jsonl"] = b'{"localpart": "maria"}\n'


def _with_a_strange_manifest(members: dict[str, bytes]) -> None:
    members["backup.json"] = b'{"format": 1, "foyer": "0.1"}'


DAMAGES: list[Callable[[Path], None]] = [
    _cut,
    _flip,
    _other_file,
    *map(
        _rewritten,
        (
            _without_manifest,
            _without_a_row,
            _without_a_table,
            _with_a_bad_time,
            _with_a_bad_row,
            _with_a_strange_manifest,
        ),
    ),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_restore_of_a_damaged_file_touches_nothing(
    foyer: Foyer, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    foyer("invite", "create", "--code", "InTheBackup")
    Account.objects.create(localpart="maria", begun_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    path = tmp_path / "one.backup"
    assert foyer("backup", str(path)).status == 0
    foyer("invite", "create", "--code", "Since")
    damage(path)
    said = foyer("restore", "--yes", str(path))
    assert (said.status, said.err) == (
        1,
        f"{path} is damaged, or is no backup of Foyer's. Nothing was changed; take another backup.",
    )
    assert Invite.objects.count() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_restore_of_rows_that_contradict_each_other_undoes_all(stopped: Stopped, kind: str) -> None:
    foyer = stopped(kind)
    before = everything(foyer)
    foyer.cli("backup", "one.backup")

    def point_at_nobody(members: dict[str, bytes]) -> None:
        name = "tables/invites_use.jsonl"
        members[name] = members[name].replace(b'"invite_id":1', b'"invite_id":4711')

    _rewritten(point_at_nobody)(foyer.folder / "one.backup")
    done = foyer.cli("restore", "--yes", "one.backup", check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert everything(foyer) == before


def test_restore_of_a_newer_backup_is_refused(stopped: Stopped) -> None:
    foyer = stopped()
    foyer.cli("backup", "one.backup")

    def from_the_future(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["backup.json"])
        manifest["migrations"].append("invites.0099_later")
        manifest["foyer"] = "9.9"
        members["backup.json"] = json.dumps(manifest).encode()

    _rewritten(from_the_future)(foyer.folder / "one.backup")
    done = foyer.cli("restore", "--yes", "one.backup", check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "one.backup was made by a newer Foyer (9.9). Nothing was changed; install that version, then restore it.\n",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_restore_of_an_older_backup_brings_it_up_to_date(stopped: Stopped, kind: str) -> None:
    foyer = stopped(kind)
    foyer.cli("backup", "old.backup")
    later = {**environment(), "DJANGO_SETTINGS_MODULE": "tests.cli.later.settings"}
    root = Path(__file__).resolve().parents[2]
    later["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), later.get("PYTHONPATH")]))

    def newer_foyer(*args: str) -> str:
        line = command("--config", str(foyer.config_path), *args)
        return subprocess.run(line, cwd=foyer.folder, env=later, check=True, capture_output=True, text=True).stdout

    newer_foyer("migrate")
    newer_foyer("restore", "--yes", "old.backup")
    assert newer_foyer("migrate", "--check") == "The database is up to date.\n"
    # What the later version does to every name was done to those of the older backup.
    assert everything(foyer)["names_claim"][0][0] == "maria-later"


def test_restore_of_another_servers_backup_is_refused(stopped: Stopped) -> None:
    one, other = stopped(), stopped(server_name="other.example")
    one.cli("backup", "one.backup")
    done = other.cli("restore", "--yes", str(one.folder / "one.backup"), check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("is a backup of localhost, and foyer.yaml is for other.example. Nothing was changed.\n")


def test_restore_of_a_file_that_is_not_there_says_so(stopped: Stopped) -> None:
    done = stopped().cli("restore", "nowhere.backup", check=False)
    assert (done.returncode, done.stderr) == (1, "nowhere.backup: No such file or directory.\n")


def test_the_kept_secret_key_goes_with_the_backup(stopped: Stopped) -> None:
    one, other = stopped(secret_key=None), stopped(filled=False, secret_key=None)
    for foyer in (one, other):
        foyer.cli("migrate")
    key = (one.folder / "foyer.secret-key").read_text()
    assert (other.folder / "foyer.secret-key").read_text() != key
    saved = one.cli("backup", "one.backup")
    said = other.cli("restore", str(one.folder / "one.backup"))
    assert (other.folder / "foyer.secret-key").read_text() == key
    assert (other.folder / "foyer.secret-key").stat().st_mode & 0o777 == 0o600
    assert "Restart Foyer" in said.stdout
    assert key.strip() not in saved.stdout + said.stdout


def test_a_key_of_foyer_yaml_is_not_in_the_backup_and_stays(stopped: Stopped) -> None:
    one = stopped(secret_key="the key of the one that is long enough for everything")
    other = stopped(filled=False, secret_key="the key of the other that is long enough for everything")
    one.cli("backup", "one.backup")
    with zipfile.ZipFile(one.folder / "one.backup") as archive:
        assert "secret-key" not in archive.namelist()
        assert all(b"the key of the one" not in archive.read(name) for name in archive.namelist())
    said = other.cli("restore", str(one.folder / "one.backup"))
    assert "put the secret key of then into foyer.yaml" in said.stdout


def test_the_old_key_is_put_back_when_the_restore_fails(stopped: Stopped) -> None:
    one, other = stopped(secret_key=None), stopped(filled=False, secret_key=None)
    other.cli("migrate")
    key = (other.folder / "foyer.secret-key").read_text()
    one.cli("backup", "one.backup")

    def point_at_nobody(members: dict[str, bytes]) -> None:
        name = "tables/invites_use.jsonl"
        members[name] = members[name].replace(b'"invite_id":1', b'"invite_id":4711')

    _rewritten(point_at_nobody)(one.folder / "one.backup")
    assert other.cli("restore", str(one.folder / "one.backup"), check=False).returncode == 1
    assert (other.folder / "foyer.secret-key").read_text() == key


@pytest.mark.parametrize("kind", KINDS)
def test_backup_while_others_write_is_of_one_moment(stopped: Stopped, kind: str) -> None:
    """Each invitation is written with its audit row: a backup that has one without the other is of two moments."""
    foyer = stopped(kind, filled=False)
    program = """
import itertools
from foyer.invites import services
from foyer.kit.actor import Actor
for number in itertools.count():
    services.create(services.NewInvite(code=f"Code{number}"), actor=Actor.command_line())
"""
    writer = subprocess.Popen(
        command("--config", str(foyer.config_path), "django", "shell", "--no-imports", "-c", program),
        cwd=foyer.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while len(everything(foyer)["invites_invite"]) < 3:
            assert time.monotonic() < end
            time.sleep(0.1)
        rows: dict[str, int] = {}
        for number in range(3):
            foyer.cli("backup", f"{number}.backup")
            with zipfile.ZipFile(foyer.folder / f"{number}.backup") as archive:
                rows = json.loads(archive.read("backup.json"))["rows"]
            assert rows["invites_invite"] == rows["audit_event"] > 0
    finally:
        writer.kill()
        writer.wait()
    foyer.cli("restore", "--yes", "2.backup")
    assert len(everything(foyer)["invites_invite"]) == rows["invites_invite"]


@pytest.mark.parametrize("kind", KINDS)
def test_restore_while_foyer_runs_is_seen_at_once(stopped: Stopped, kind: str) -> None:
    foyer = stopped(kind)
    foyer.start()
    foyer.cli("backup", "one.backup")
    foyer.cli("invite", "revoke", "Second")
    foyer.cli("restore", "--yes", "one.backup")
    assert foyer.answers()
    assert json.loads(foyer.cli("invite", "show", "Second", "--json").stdout)["state"] == "open"
