"""The defaults that owners rely on, and what is derived from the keys."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from foyer.config import blocks
from foyer.config.database import parse_database
from foyer.config.errors import ConfigError
from foyer.config.keys import all_keys, keys_of, plain
from foyer.config.load import check
from foyer.config.schema import Config
from foyer.config.show import as_json, render
from foyer.config.words import ELSEWHERE


def config(**values: Any) -> Config:
    base: dict[str, Any] = {
        "server_name": "example.org",
        "public_url": "https://join.example.org",
        "homeserver": {"registration_shared_secret": "s3cret"},
    }
    return check(base | values)


def test_defaults_are_those_that_were_promised() -> None:
    assert {key.dotted: key.default for key in all_keys() if not key.field.is_required()} == {
        "secret_key": None,
        "hosts": [],
        "homeserver.kind": "synapse",
        "homeserver.url": "http://127.0.0.1:8008",
        "homeserver.registration_shared_secret": None,
        "homeserver.admin_token": None,
        "homeserver.mas.url": None,
        "homeserver.mas.client_id": None,
        "homeserver.mas.client_secret": None,
        "homeserver.registration_token": None,
        "homeserver.verify_tls": True,
        "homeserver.timeout": "10s",
        "homeserver.consent.version": None,
        "homeserver.consent.form_secret": None,
        "ways_in": ["invitation", "application"],
        "usernames.must_match": [],
        "usernames.must_not_match": [],
        "usernames.reserved": [],
        "password.min_length": 8,
        "invitations.uses": 1,
        "invitations.expires": "7d",
        "invitations.show_inviter": False,
        "invitations.mirror": False,
        "application.password": "auto",
        "application.questions": [
            {
                "id": "reason",
                "text": "Who are you, why do you want to join here, and who told you about this server?",
                "kind": "text",
                "required": True,
                "min_length": 30,
                "choices": [],
            }
        ],
        "application.templates": [],
        "after.rooms": [],
        "after.welcome_message": None,
        "after.clients": ["element-x", "element", "cinny", "fluffychat"],
        "email.host": None,
        "email.port": 587,
        "email.username": None,
        "email.password": None,
        "email.security": "starttls",
        "email.from": None,
        "moderators.emails": [],
        "moderators.digest": "each",
        "moderators.room": None,
        "moderators.notice": None,
        "staff.second_factor": "optional",
        "staff.session": "12h",
        "legal": [],
        "branding.name": None,
        "branding.tagline": None,
        "branding.logo": None,
        "branding.accent": "#0b6e4f",
        "screening.limits": True,
        "screening.join_per_ip": "10/minute, 100/day",
        "screening.join_overall": "120/minute, 5000/day",
        "retention.unverified": "2d",
        "retention.decided": "30d",
        "retention.ips": "30d",
        "retention.denial_digests": "365d",
        "database": "sqlite:///foyer.sqlite3",
        "listen": "127.0.0.1:5000",
        "trusted_proxies": [],
        "api.legacy_shared_secret": None,
        "api.cors_origins": [],
        "log.level": "info",
        "log.format": "text",
    }


def test_defaults_written_out_are_the_defaults() -> None:
    written: dict[str, Any] = {}
    for key in all_keys():
        if not key.field.is_required():
            block = written
            for part in key.path[:-1]:
                block = block.setdefault(part, {})
            block[key.path[-1]] = key.default
    written["homeserver"]["registration_shared_secret"] = "s3cret"

    assert config(**written) == config()


def test_keys_every_one_has_words_and_a_meaning() -> None:
    entries = [key for key in all_keys() if key.entry for key in keys_of(key.entry)]

    assert [key.dotted for key in (*all_keys(), *entries) if not key.words or not key.doc.endswith((".", "`."))] == []


def test_keys_every_example_is_right() -> None:
    for key in all_keys():
        for example in key.examples:
            if key.dotted in {"homeserver.verify_tls", "branding.logo"}:
                continue  # files of the owner's
            values: Any = example
            for part in reversed(key.path[1:]):
                values = {part: values}
            base = {
                "homeserver": {"admin_token": "x"},
                "secret_key": "k" * 32,
                "email": {"host": "a.b", "from": "a@b.c"},
            }
            config(**{**base, key.path[0]: {**base.get(key.path[0], {}), **values} if len(key.path) > 1 else values})  # type: ignore[dict-item]


def test_keys_names_of_the_predecessors_lead_to_keys_or_blocks() -> None:
    known = {key.dotted for key in all_keys()} | {".".join(key.path[:-1]) for key in all_keys()}

    assert [ours for ours in ELSEWHERE.values() if ours not in known] == []


def test_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        config().homeserver.url = "http://other"  # type: ignore[misc]


def test_config_can_be_copied_compared_and_hashed() -> None:
    ours = config(database="postgresql://u:p@h/d?sslmode=require", secret_key="k" * 32, after={"clients": ["element"]})

    assert copy.deepcopy(ours) == ours
    assert hash(ours) == hash(copy.deepcopy(ours))


@pytest.mark.parametrize(
    ("url", "origin", "host", "path"),
    [
        ("https://join.example.org", "https://join.example.org", "join.example.org", ""),
        ("https://Example.org:443/front/door/", "https://example.org", "example.org", "/front/door"),
        ("http://localhost:5000", "http://localhost:5000", "localhost", ""),
        ("http://[::1]:80/a", "http://[::1]", "[::1]", "/a"),
    ],
)
def test_public_url_is_taken_apart(url: str, origin: str, host: str, path: str) -> None:
    ours = config(public_url=url)

    assert (ours.public_origin, ours.public_host, ours.public_path) == (origin, host, path)


def test_allowed_hosts_are_ours_the_further_ones_and_this_machine() -> None:
    assert config(hosts=["Door.example.org", "join.example.org"]).allowed_hosts == (
        "join.example.org",
        "door.example.org",
        "localhost",
        "127.0.0.1",
        "[::1]",
    )


def test_display_name_falls_back_to_the_server_name() -> None:
    assert config().display_name == "example.org"
    assert config(branding={"name": "Our place"}).display_name == "Our place"


def test_open_ways_leave_the_application_out_until_it_has_mail_and_moderators() -> None:
    mail = {"host": "mail.example.org", "from": "join@example.org"}

    assert config().application_lacks == ("email.host", "moderators.emails")
    assert config().open_ways == ("invitation",)
    assert config(email=mail).application_lacks == ("moderators.emails",)
    assert config(email=mail, moderators={"room": "!a:b.c"}).open_ways == ("invitation", "application")
    assert config(ways_in=["invitation"]).application_lacks == ()


def test_sender_is_from_else_the_user_name_else_nobody() -> None:
    assert config().email.sender == ""
    assert config(email={"host": "m.x", "username": "a@b.c"}).email.sender == "a@b.c"
    assert config(email={"host": "m.x", "username": "a@b.c", "from": "X <x@b.c>"}).email.sender == "X <x@b.c>"


def test_questions_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValidationError, match="choices and kind: choice go together"):
        blocks.Question(id="a", text="b", kind="choice")
    with pytest.raises(ValidationError, match="Two questions have the id a"):
        blocks.Application.model_validate({"questions": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]})


SECRETS: dict[str, Any] = {
    "secret_key": "hunter2" * 6,
    "homeserver": {
        "registration_shared_secret": "hunter2",
        "admin_token": "hunter2",
        "registration_token": "hunter2",
        "mas": {"client_secret": "hunter2"},
        "consent": {"version": "1", "form_secret": "hunter2"},
    },
    "email": {"host": "m.x", "username": "a@b.c", "password": "hunter2"},
    "api": {"legacy_shared_secret": "hunter2"},
    "database": "postgresql://foyer:hunter2@db/foyer?sslpassword=hunter2",
}


def test_secrets_are_nowhere_in_what_is_shown() -> None:
    ours = config(**SECRETS)
    secret = [key for key in all_keys() if key.is_secret]

    assert "hunter2" not in repr(ours) + str(ours) + render(ours) + as_json(ours) + str(ours.database)
    assert render(ours).count("********") == len(secret) + 2


def test_show_has_every_key_and_no_names_of_python() -> None:
    ours = {"name": "Ours", "url": "https://chat.example.org"}
    shown = plain(
        config(
            invitations={"uses": "unlimited", "expires": "never"},
            usernames={"must_match": "[a-z]+"},
            after={"clients": [ours]},
        )
    )

    assert (shown["usernames"]["must_match"], shown["after"]["clients"]) == (["[a-z]+"], [ours])
    assert shown["email"]["from"] is None
    assert shown["invitations"] == {"uses": "unlimited", "expires": "never", "show_inviter": False, "mirror": False}
    assert shown["screening"]["join_per_ip"] == "10/minute, 100/day"
    for key in all_keys():
        block = shown
        for part in key.path:
            block = block[part]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/foyer/foyer.sqlite3", "sqlite:////var/lib/foyer/foyer.sqlite3"),
        ("postgresql://foyer:p%40ss@db:5433/foyer", "postgresql://foyer:********@db:5433/foyer"),
        ("postgres://foyer@db/foyer", "postgresql://foyer@db/foyer"),
        ("postgresql+psycopg2://db/foyer?sslmode=require", "postgresql://db/foyer?sslmode=require"),
        ("postgresql:///foyer?host=/run/postgresql", "postgresql:///foyer?host=/run/postgresql"),
        ("postgresql://[::1]/foyer", "postgresql://[::1]/foyer"),
    ],
)
def test_database_url_is_read_and_written_without_its_password(url: str, expected: str) -> None:
    database = parse_database(url)

    assert str(database) == expected
    assert parse_database(database.url) == database


def test_database_relative_path_starts_at_the_current_directory(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)

    assert config(database="sqlite:///data/foyer.sqlite3").database.path == tmp_path / "data" / "foyer.sqlite3"


def test_database_password_is_decoded() -> None:
    database = parse_database("postgresql://fo%2Fyer:p%40s%3As@db/foyer")

    assert (database.user, database.password, database.host, database.name) == ("fo/yer", "p@s:s", "db", "foyer")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("foyer.sqlite3", "Write sqlite:///foyer.sqlite3 for a file"),
        ("mysql://u:p@h/d", "Foyer keeps its tables in SQLite or PostgreSQL"),
        ("sqlite://foyer.sqlite3", "After sqlite: come three slashes"),
        ("sqlite:///", "Name a file"),
        ("sqlite:///:memory:", "Name a file"),
        ("sqlite:///data/", "Name a file, without"),
        ("sqlite:///a?b", "Name a file, without"),
        ("postgresql://u:p@h", "Name the database after the host"),
        ("postgresql://u:p@h/a/b", "Name the database after the host"),
        ("postgresql://u:p#q@h/d", "If the user name or the password has signs"),
        ("postgresql://u:p@h:port/d", "If the user name or the password has signs"),
        ("postgresql://u:p@h:0/d", "If the user name or the password has signs"),
        ("postgresql://u:p q@h/d", "If the user name or the password has signs"),
        ("postgresql://[::1/d", "If the user name or the password has signs"),
        ("postgresql://h/d%00", "Remove the NUL byte"),
        ("postgresql://h/d?password=x", "Only options of libpq stand after"),
        ("postgresql://h/d?SSL MODE=x", "If the user name"),
    ],
)
def test_database_url_that_is_wrong_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")) as caught:
        parse_database(url)

    assert "p@h" not in str(caught.value).replace("user:password@host", "")


def test_secret_of_pydantic_is_taken() -> None:
    assert config(homeserver={"admin_token": SecretStr("x")}).homeserver.admin_token == SecretStr("x")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"title": "A", "decision": "maybe", "text": "x"}, "decision"),
        ({"title": "A", "decision": "deny"}, "text"),
        ({"title": "A", "decision": "deny", "text": ""}, "empty"),
        ({"title": "A", "decision": "deny", "text": "Dear {name},"}, "{name} would be sent as it stands"),
        ({"title": "A", "decision": "deny", "text": "x" * 5001}, "at most 5000 characters"),
        ({"title": "A", "decision": "deny", "text": "bell\x07"}, "control characters"),
    ],
)
def test_template_that_could_not_be_sent_is_refused(template: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        config(application={"templates": [template]})


def test_two_templates_of_one_title_are_refused_unless_they_are_for_different_decisions() -> None:
    deny, ask = {"title": "A", "decision": "deny", "text": "x"}, {"title": "A", "decision": "ask", "text": "x"}

    with pytest.raises(ConfigError, match="Two templates for deny are called A"):
        config(application={"templates": [deny, deny]})
    assert len(config(application={"templates": [deny, ask]}).application.templates) == 2
