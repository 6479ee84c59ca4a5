"""`foyer copy-database`: a real SQLite database with rows in every table, into a real PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dev.postgres import Postgres
from tests.support.server import RunningFoyer, running_foyer

FILL = """
from datetime import UTC, date, datetime
from django.apps import apps
from django.db import connection, models, transaction
from foyer.cli.archive import rows

MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
known = rows.tables(apps)

def value(field, number):
    if isinstance(field, models.ForeignKey):
        return value(field.target_field, number)
    kind = field.get_internal_type()
    if kind in ("AutoField", "BigAutoField", "IntegerField", "BigIntegerField"):
        return number
    if "Integer" in kind:
        return number % 3
    if kind == "BooleanField":
        return bool(number % 2)
    if kind == "DateTimeField":
        return MOMENT
    if kind == "DateField":
        return date(2026, 3, number % 28 + 1)
    if kind == "GenericIPAddressField":
        return ["2001:db8::1", "192.0.2.7"][number % 2]
    if kind == "JSONField":
        return [{"z": [1, None, "\\u00e4"], "a": {"b": 2.5}}, ["#a:example.org"]][number % 2]
    if kind == "BinaryField":
        return bytes([0, 255, number % 256])
    text = f"{number} \\u00a1ol\\u00e9! \\U0001F389 'q' \\\\ %s"
    return text[: field.max_length or None]

with transaction.atomic():
    for table, model in known.items():
        there = model._base_manager.count()
        made = []
        for number in (900001, 900002):
            made.append({field.attname: value(field, number) for field in rows.columns(model)})
        rows.write(model, made, "default")
    connection.check_constraints()
print({table: model._base_manager.count() for table, model in known.items()})
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with two rows of ours in every table."""
    with running_foyer(tmp_path_factory.mktemp("template"), start=False) as foyer:
        foyer.write_config()
        foyer.cli("migrate")
        foyer.cli("invite", "create", "--code", "Choir")
        foyer.cli("django", "shell", "--no-imports", "-c", FILL)
        return foyer.folder / "foyer.sqlite3"


@pytest.fixture
def filled(tmp_path: Path, template: Path) -> Iterator[RunningFoyer]:
    """A Foyer on SQLite that does not run, with two rows of ours in every table."""
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        shutil.copy(template, foyer.folder / "foyer.sqlite3")
        yield foyer


@pytest.fixture
def empty(postgres: Postgres) -> str:
    """The URL of an empty database."""
    return postgres.create_database(f"copy_{secrets.token_hex(6)}")


def copy(foyer: RunningFoyer, to: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return foyer.cli("copy-database", to, "--yes", check=check)


def tables(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # type: ignore[index]
            for (name,) in names.fetchall()
        }


def test_copy_carries_every_row_of_every_table(filled: RunningFoyer, empty: str) -> None:
    said = copy(filled, empty)

    lines = dict(line.split() for line in said.stdout.split("\nCopied and compared")[0].splitlines()[1:])
    there = tables(empty)
    assert {name: int(count) for name, count in lines.items()} == {name: there[name] for name in lines}
    empty_ones = {name for name, count in there.items() if not count}
    assert empty_ones <= {"screening_counter", "staff_cache"}  # what need not outlive a restart
    assert f"Copied and compared: {sum(map(int, lines.values()))} rows." in said.stdout
    password = empty.partition("://")[2].partition("@")[0].partition(":")[2]
    assert password not in said.stdout


def test_copy_is_a_foyer_that_goes_on_with_new_numbers(filled: RunningFoyer, empty: str, tmp_path: Path) -> None:
    copy(filled, empty)

    with running_foyer(tmp_path, empty, start=False) as moved:
        moved.write_config()
        assert moved.cli("migrate", "--check").stdout == "The database is up to date.\n"
        assert moved.invite("--code", "Second")["code"] == "Second"
        assert "Choir" in moved.cli("invite", "list", "--all", "--limit", "0").stdout
    with psycopg.connect(empty) as connection:
        (newest,) = connection.execute("SELECT max(id) FROM invites_invite").fetchone() or (0,)
    assert newest == 900003


def test_copy_names_what_to_write_into_the_configuration(tmp_path: Path, empty: str) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        del foyer.config["secret_key"]
        foyer.write_config()
        foyer.cli("migrate")

        said = copy(foyer, empty).stdout

    assert "  database: postgresql://" in said
    assert f"  secret_key_file: {foyer.folder}/foyer.secret-key" in said


def test_copy_into_a_database_that_is_not_empty_is_refused(filled: RunningFoyer, empty: str) -> None:
    copy(filled, empty)
    before = tables(empty)

    again = copy(filled, empty, check=False)

    assert again.returncode == 1
    assert "is not empty: it has " in again.stderr
    assert tables(empty) == before


def test_copy_into_a_database_of_something_else_is_refused(filled: RunningFoyer, empty: str) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE groceries (id int)")

    refused = copy(filled, empty, check=False)

    assert "is not empty: it has groceries. Nothing was changed." in refused.stderr
    assert tables(empty) == {"groceries": 0}


def test_copy_a_row_that_does_not_fit_copies_nothing_and_can_be_repeated(filled: RunningFoyer, empty: str) -> None:
    change = "from foyer.invites.models import Invite; Invite.objects.filter(code='Choir').update(label={!r})"
    filled.cli("django", "shell", "--no-imports", "-c", change.format("x" * 300))

    refused = copy(filled, empty, check=False)
    assert "A row of invites_invite does not fit into PostgreSQL" in refused.stderr
    assert not any(count for name, count in tables(empty).items() if name.startswith(("invites_", "accounts_")))

    filled.cli("django", "shell", "--no-imports", "-c", change.format("short"))
    assert "Copied and compared" in copy(filled, empty).stdout


def test_copy_while_foyer_runs_is_refused(tmp_path: Path, empty: str) -> None:
    with running_foyer(tmp_path) as foyer:
        foyer.cli(
            "django", "shell", "--no-imports", "-c", "from foyer.jobs.services import run_schedule; run_schedule()"
        )

        refused = copy(foyer, empty, check=False)

    assert "Stop it, wait ten seconds, and try again" in refused.stderr
    assert tables(empty) == {}


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("sqlite:///other.sqlite3", "Name a PostgreSQL database."),
        ("mysql://a/b", "That is no database to copy into."),
        ("postgresql://nobody:secret@127.0.0.1:9/foyer", "does not let Foyer in"),
    ],
)
def test_copy_to_what_is_none_is_refused(filled: RunningFoyer, to: str, sentence: str) -> None:
    refused = copy(filled, to, check=False)

    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "secret" not in refused.stderr
