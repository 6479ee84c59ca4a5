"""Tables are filled whole, and are afterwards as they were made."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from dev.bench import applicants, rows
from dev.bench.applicants import Past
from dev.bench.rows import Row, Table

SCHEMA = """
    CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL, gained TEXT NOT NULL);
    CREATE INDEX words_text ON words (text);
    CREATE VIRTUAL TABLE applications_search USING fts5(text, content='words', content_rowid='id', tokenize='trigram');
    CREATE TRIGGER words_insert AFTER INSERT ON words BEGIN
        INSERT INTO applications_search(rowid, text) VALUES (new.id, new.text);
    END;
"""


def word(number: int) -> Row:
    return (f"word{number}",)


def test_fill_tables_leaves_indexes_and_triggers_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "filled.sqlite3"
    made = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    found = "SELECT rowid FROM applications_search WHERE applications_search MATCH ?"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        before = connection.execute(made).fetchall()

        rows.fill_tables(f"sqlite:///{path}", [Table("words", "text", word)], 50)

        assert connection.execute(made).fetchall() == before
        assert connection.execute("SELECT COUNT(*), MIN(gained) FROM words").fetchone() == (50, "")
        assert connection.execute(found, ["word37"]).fetchall() == [(37,)]
        connection.execute("INSERT INTO words (text, gained) VALUES ('tomatoes', '')")
        assert connection.execute(found, ["mato"]).fetchall() == [(51,)]


@pytest.fixture(scope="module")
def past() -> Past:
    return Past(5000)


def test_applicants_have_a_value_for_each_column(past: Past) -> None:
    assert [len(table.row(1)) for table in past.tables()] == [len(table.columns) for table in past.tables()]


def test_applicants_the_last_wait_and_the_others_were_decided(past: Past) -> None:
    found = Counter(past.state(number) for number in range(1, past.total + 1))

    assert (found["waiting"], found["asked"]) == (applicants.WAITING, applicants.ASKED)
    assert found["done"] + found["denied"] == past.total - applicants.WAITING - applicants.ASKED


@pytest.mark.parametrize("now", ["2026-11-22 00:03:00", "2026-11-22 23:59:00"])
def test_applicants_came_within_thirty_days_and_as_many_today_as_on_any(now: str) -> None:
    past = Past(6000, end=datetime.fromisoformat(now))

    came = [past.at(number) for number in range(1, past.total + 1)]

    assert came == sorted(came)
    assert (came[0][:10], came[-1]) == ("2026-10-24", now)
    assert {190 <= number <= 210 for number in Counter(each[:10] for each in came).values()} == {True}


def test_deeds_are_numbered_in_the_order_of_time(past: Past) -> None:
    deeds = next(table for table in past.tables() if table.name == "audit_event")

    made = [deeds.row(number) for number in range(1, past.total * deeds.times + 1)]

    assert Counter(row[1] for row in made) == dict.fromkeys(applicants.DEEDS, past.total)
    assert [row[0] for row in made] == sorted(row[0] for row in made)


def test_fill_tables_makes_as_many_rows_of_a_number_as_wanted(tmp_path: Path) -> None:
    path = tmp_path / "filled.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)

        rows.fill_tables(f"sqlite:///{path}", [Table("words", "text", word, times=3)], 4)

        found = connection.execute("SELECT text FROM words ORDER BY id").fetchall()
    assert found == [(f"word{number}",) for number in range(1, 13)]


def test_applicants_differ_in_name_and_email_and_some_words_are_rare(past: Past) -> None:
    numbers = range(1, past.total + 1)

    assert len({past.localpart(number) for number in numbers}) == past.total
    assert len({past.email(number) for number in numbers}) == past.total
    assert sum(applicants.RARE in past.answer(number) for number in numbers) == 1
    assert 0.3 < sum(applicants.FREQUENT in past.answer(number) for number in numbers) / past.total < 0.5
