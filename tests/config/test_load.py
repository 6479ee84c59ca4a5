"""Finding and reading a configuration, and what is said of a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from foyer.config.errors import ConfigError, Problem
from foyer.config.load import check, find, load

Write = Callable[[str], Path]
SMALL = """\
server_name: example.org
public_url: https://join.example.org
homeserver: {registration_shared_secret: s3cret}
"""
ENOUGH = {
    "FOYER_SERVER_NAME": "example.org",
    "FOYER_PUBLIC_URL": "https://join.example.org",
    "FOYER_HOMESERVER__ADMIN_TOKEN": "syt_token",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes foyer.yaml."""

    def to(text: str) -> Path:
        path = tmp_path / "foyer.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to


def refusal(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    """Return the lines that a wrong configuration is answered with, without the folder of the test."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return str(caught.value).replace(f"{path.parent}/" if path else "\0", "").splitlines()


def problems(**values: Any) -> list[tuple[str, str]]:
    """Return key and sentence of everything that is wrong with these keys."""
    base = {
        "server_name": "example.org",
        "public_url": "https://join.example.org",
        "homeserver": {"registration_shared_secret": "s3cret"},
    }
    with pytest.raises(ConfigError) as caught:
        check(base | values)
    return [(problem.key, problem.sentence) for problem in caught.value.problems]


def test_load_small_file_has_the_defaults(write: Write) -> None:
    config = load(write(SMALL), {})

    assert config.homeserver.url == "http://127.0.0.1:8008"
    assert config.homeserver.registration_shared_secret is not None
    assert config.homeserver.registration_shared_secret.get_secret_value() == "s3cret"
    assert config.invitations.expires == timedelta(days=7)


def test_load_environment_counts_more_than_the_file(write: Write) -> None:
    config = load(write(SMALL), {"FOYER_SERVER_NAME": "other.org", "FOYER_HOMESERVER__TIMEOUT": "3s"})

    assert (config.server_name, config.homeserver.timeout) == ("other.org", timedelta(seconds=3))


def test_load_environment_alone_is_enough() -> None:
    config = load(None, ENOUGH | {"FOYER_WAYS_IN": "invitation", "FOYER_TRUSTED_PROXIES": '["10.0.0.0/8"]'})

    assert config.ways_in == ("invitation",)
    assert [str(network) for network in config.trusted_networks] == ["10.0.0.0/8"]


def test_load_nothing_anywhere_says_what_makes_a_configuration(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)

    assert refusal(None, {"HOME": str(tmp_path), "PATH": "/bin"}) == [
        "There is no configuration yet. `foyer setup` makes one; `foyer --config PATH` names one elsewhere."
    ]


def test_load_not_required_and_nothing_anywhere_gives_an_example(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)

    assert load(None, {}, require=False).server_name == "example.org"


def test_load_file_that_is_not_there_names_it(tmp_path: Path) -> None:
    assert refusal(tmp_path / "foyer.yaml") == ["foyer.yaml: There is no such file. `foyer setup` makes one."]


def test_load_folder_says_that_it_is_one(tmp_path: Path) -> None:
    assert refusal(tmp_path) == [f"{tmp_path.name}: This is a folder. Name the file in it."]


def test_load_file_that_is_no_configuration_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "foyer.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))

    assert refusal(path) == ["foyer.yaml: This file is far too large for a configuration. Is it the right one?"]


def test_load_name_that_the_system_refuses_is_said_to_be_so(tmp_path: Path) -> None:
    assert refusal(Path("a\0b")) == ["a\0b: This file cannot be read: the name is not valid."]
    assert refusal(None, {"HOME": f"/{'a' * 5000}"})[0].endswith("This file cannot be read: File name too long.")


def test_load_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "foyer.yaml"
    path.write_bytes(b"server_name: example.org\nbranding: {name: Caf\xe9}\n")

    assert refusal(path) == ["foyer.yaml, line 2: This file is not UTF-8. Save it in that encoding."]


def test_load_all_problems_are_told_at_once_in_the_order_of_the_file(write: Write) -> None:
    path = write("""\
server_name: https://example.org
public_ulr: https://join.example.org
homeserver:
  timeout: 10
  admin_tokn: syt_secret
debug: true
log: info
""")

    assert refusal(path, {"FOYER_PASSWORD__MIN_LENGTH": "many"}) == [
        "public_url (foyer.yaml): This key is required. Where people reach Foyer. It may have a path.",
        'password.min_length = "many" (FOYER_PASSWORD__MIN_LENGTH): Write a whole number from 1 to 255.',
        (
            'server_name = "https://example.org" (foyer.yaml, line 1): '
            "Write only what follows the colon in a Matrix address, such as example.org."
        ),
        "public_ulr (foyer.yaml, line 2): Foyer has no such key. Did you mean public_url?",
        (
            "homeserver.registration_shared_secret (foyer.yaml, line 3): Foyer has no credentials for the homeserver. "
            "Copy the key of this name from homeserver.yaml, or give homeserver.admin_token."
        ),
        'homeserver.timeout = "10" (foyer.yaml, line 4): Write a number and a unit: 90s, 15m, 12h, 7d or 2w.',
        "homeserver.admin_tokn (foyer.yaml, line 5): Foyer has no such key. Did you mean homeserver.admin_token?",
        "debug (foyer.yaml, line 6): Foyer has no such key. Did you mean log.level?",
        "log (foyer.yaml, line 7): Give a block of keys here, each on a line of its own and indented.",
    ]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("servername", "server_name"),
        ("admin_token", "homeserver.admin_token"),
        ("server_location", "homeserver.url"),
        ("admin_api_shared_secret", "api.legacy_shared_secret"),
        ("trust_proxy", "trusted_proxies"),
        ("secret_key_fil", "secret_key_file"),
        ("registration_shared_secert", "homeserver.registration_shared_secret"),
        ("publicurl_of_it", "public_url"),
    ],
)
def test_load_unknown_key_names_the_nearest_one(name: str, nearest: str) -> None:
    assert problems(**{name: "x"}) == [(name, f"Foyer has no such key. Did you mean {nearest}?")]


def test_load_unknown_key_without_a_near_one_says_so() -> None:
    assert problems(qqqqqq="x") == [("qqqqqq", "Foyer has no such key. Remove it.")]


def test_load_dotted_key_is_told_to_be_a_block() -> None:
    assert problems(**{"homeserver.mas.url": "x"}) == [
        ("homeserver.mas.url", "Foyer has no such key. Write homeserver.mas as a block, with url indented below it.")
    ]


def test_load_unknown_key_in_an_entry_of_a_list_names_entry_and_nearest() -> None:
    assert problems(legal=[{"title": "Rules", "url": "https://example.org"}, {"titel": "x", "url": "https://a.b"}]) == [
        ("legal.title", "Entry 2: This key is required. Its title."),
        ("legal.titel", "Entry 2: Foyer has no such key. Did you mean legal.title?"),
    ]


def test_load_value_of_the_wrong_shape_is_explained() -> None:
    assert problems(server_name=["a"], hosts={"a": 1}, listen={}, branding="x", log=["y"]) == [
        ("server_name", "Give one value here."),
        ("hosts", "Give a list here: a line for each entry, each beginning with a dash."),
        ("branding", "Give a block of keys here, each on a line of its own and indented."),
        ("listen", "Give one value here."),
        ("log", "Give a block of keys here, each on a line of its own and indented."),
    ]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("synapse", ["registration_shared_secret"]),
        ("dendrite", ["registration_shared_secret"]),
        ("tuwunel", ["registration_shared_secret"]),
        ("uia", ["registration_token"]),
        ("mas", ["mas.url", "mas.client_id", "mas.client_secret"]),
    ],
)
def test_load_homeserver_without_its_credentials_names_them(kind: str, keys: list[str]) -> None:
    assert [key for key, _sentence in problems(homeserver={"kind": kind})] == [f"homeserver.{key}" for key in keys]


@pytest.mark.parametrize(
    "homeserver",
    [
        {"kind": "dendrite", "registration_shared_secret": "s"},
        {"kind": "tuwunel", "registration_shared_secret": "s", "admin_token": "t"},
        {"kind": "uia", "registration_token": "t"},
        {"kind": "mas", "mas": {"url": "http://127.0.0.1:8080", "client_id": "i", "client_secret": "s"}},
    ],
)
def test_load_homeserver_with_its_credentials_is_whole(homeserver: dict[str, object]) -> None:
    values = {"server_name": "example.org", "public_url": "https://join.example.org", "homeserver": homeserver}

    assert check(values).homeserver.kind == homeserver["kind"]


@pytest.mark.parametrize("token", ["syt_a b", "syt_…", "syt_\u200b"])
def test_load_admin_token_that_goes_into_no_header_is_refused_without_being_shown(token: str) -> None:
    assert problems(homeserver={"admin_token": token}) == [
        ("homeserver.admin_token", "It has a blank or a character in it that no access token has. Copy it again."),
    ]


def test_load_consent_at_a_server_that_records_none_says_so() -> None:
    consent = {"version": "1.0", "form_secret": "f"}

    assert problems(homeserver={"kind": "uia", "registration_token": "t", "consent": consent}) == [
        ("homeserver.consent", "Only Synapse alone records consent. Leave it out with kind: uia."),
    ]


def test_load_homeserver_kind_that_is_none_lists_them() -> None:
    assert problems(homeserver={"kind": "conduit"}) == [
        ("homeserver.kind", "Choose synapse, mas, dendrite, tuwunel or uia."),
    ]


def test_load_half_of_the_consent_names_the_other_half() -> None:
    assert problems(homeserver={"admin_token": "x", "consent": {"version": "1.0"}}) == [
        ("homeserver.consent.form_secret", "version and form_secret belong together. Give both, or neither.")
    ]


def test_load_mail_without_its_parts_names_them() -> None:
    assert problems(email={"username": "foyer", "password": "x"}) == [
        ("email.host", "Mail is set up in part. Name the server that takes mails, or remove the rest.")
    ]
    assert problems(email={"host": "mail.example.org", "username": "foyer"}) == [
        ("email.from", "Say whom mails come from: email.username is not an email address.")
    ]
    assert problems(email={"host": "mail.example.org", "password": "x", "from": "a@example.org"}) == [
        ("email.username", "There is a password for the mail server, but no user name.")
    ]


def test_load_postgresql_without_a_key_asks_for_one() -> None:
    assert problems(database="postgresql://foyer@db/foyer") == [
        (
            "secret_key",
            "PostgreSQL needs a secret key that all machines share. `openssl rand -base64 48` prints one.",
        )
    ]


@pytest.mark.parametrize(("key", "word"), [("uses", "unlimited"), ("expires", "never")])
def test_load_null_where_it_might_mean_without_end_asks(key: str, word: str) -> None:
    assert problems(invitations={key: None}) == [
        (f"invitations.{key}", f"Write {word}, or remove the line for the default.")
    ]


def test_load_null_is_the_default(write: Write) -> None:
    config = load(write(SMALL + "branding:\nhosts:\nlisten: null\nafter: {rooms: ~}\n"), {"FOYER_EMAIL__HOST": ""})

    assert (config.branding.accent, config.hosts, str(config.listen), config.after.rooms, config.email.host) == (
        "#0b6e4f",
        (),
        "127.0.0.1:5000",
        (),
        None,
    )


def test_load_block_in_the_file_that_is_no_block_is_told_with_the_environment(write: Write) -> None:
    path = write("server_name: a.b\npublic_url: https://a.b\nhomeserver: nonsense\n")

    assert refusal(path, {"FOYER_HOMESERVER__ADMIN_TOKEN": "x"})[0] == (
        "homeserver (foyer.yaml, line 3): Give a block of keys here, each on a line of its own and indented."
    )


def test_secret_from_a_file_is_taken_without_its_line_break(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" syt-token \n", encoding="utf-8")
    path = write("server_name: a.b\npublic_url: https://a.b\nhomeserver: {admin_token_file: token}\n")

    token = load(path, {}).homeserver.admin_token

    assert token is not None
    assert token.get_secret_value() == " syt-token "


def test_secret_from_a_file_of_the_environment_counts_more_than_the_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"from the file\r\n")

    config = load(write(SMALL), {"FOYER_HOMESERVER__REGISTRATION_SHARED_SECRET_FILE": str(tmp_path / "secret")})

    assert config.homeserver.registration_shared_secret is not None
    assert config.homeserver.registration_shared_secret.get_secret_value() == "from the file"


def test_secret_of_the_environment_leaves_the_files_secret_unread(write: Write) -> None:
    path = write("server_name: a.b\npublic_url: https://a.b\nhomeserver: {admin_token_file: /nowhere/token}\n")

    token = load(path, {"FOYER_HOMESERVER__ADMIN_TOKEN": "here"}).homeserver.admin_token

    assert token is not None
    assert token.get_secret_value() == "here"


def test_database_from_a_file_is_read(write: Write, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://foyer:pw@db/foyer\n", encoding="utf-8")

    config = load(write(SMALL + f"database_file: url\nsecret_key: {'k' * 32}\n"), {})

    assert (config.database.engine, config.database.password) == ("postgresql", "pw")


def test_secret_given_twice_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x", encoding="utf-8")
    both = {"FOYER_API__LEGACY_SHARED_SECRET": "x", "FOYER_API__LEGACY_SHARED_SECRET_FILE": "token"}

    assert refusal(write(SMALL + "secret_key: x\nsecret_key_file: token\n"), both) == [
        (
            "api.legacy_shared_secret_file (FOYER_API__LEGACY_SHARED_SECRET_FILE): "
            "Give api.legacy_shared_secret or this, not both."
        ),
        (
            "secret_key = ******** (foyer.yaml, line 4): "
            "Give at least 32 characters. `openssl rand -base64 48` prints a good one."
        ),
        "secret_key_file (foyer.yaml, line 5): Give secret_key or this, not both.",
    ]


def test_secret_file_that_cannot_be_read_is_told_once(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "latin").write_bytes(b"\xe9")
    path = write("""\
server_name: example.org
public_url: https://join.example.org
secret_key_file: latin
homeserver: {registration_shared_secret_file: /etc/nowhere/secret, admin_token_file: syt_the_token_itself}
email: {host: mail.example.org, from: a@example.org, username: a, password_file: empty}
database_file: [a]
api: {legacy_shared_secret_file: "a\\0b"}
""")

    assert refusal(path) == [
        "secret_key_file (foyer.yaml, line 3): The file does not hold UTF-8 text.",
        (
            'homeserver.registration_shared_secret_file = "/etc/nowhere/secret" (foyer.yaml, line 4): The file '
            f"cannot be read (No such file or directory). A relative path starts in {tmp_path}."
        ),
        (
            "homeserver.admin_token_file (foyer.yaml, line 4): The file cannot be read "
            f"(No such file or directory). A relative path starts in {tmp_path}."
        ),
        "email.password_file (foyer.yaml, line 5): The file must hold the secret and nothing else.",
        "database_file (foyer.yaml, line 6): Give the path of one file.",
        "api.legacy_shared_secret_file (foyer.yaml, line 7): This cannot be the path of a file.",
    ]


def test_secret_with_a_line_break_inside_is_refused_without_being_shown(write: Write, tmp_path: Path) -> None:
    (tmp_path / "two").write_text("line one\nline two\n", encoding="utf-8")

    assert refusal(write(SMALL + "api: {legacy_shared_secret_file: two}\n")) == [
        (
            "api.legacy_shared_secret = ******** (foyer.yaml, line 4): "
            "The secret must be one line, without control characters."
        )
    ]


def test_logo_beside_the_file_is_found(write: Write, tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg/>", encoding="utf-8")

    assert load(write(SMALL + "branding: {logo: logo.svg}\n"), {}).branding.logo == tmp_path / "logo.svg"


def test_find_named_path_comes_first(tmp_path: Path) -> None:
    named = tmp_path / "named.yaml"

    assert find(named, {"FOYER_CONFIG": "/other.yaml"}) == named
    assert find(None, {"FOYER_CONFIG": "/other.yaml"}) == Path("/other.yaml")


def test_find_current_directory_comes_before_home(tmp_path: Path, monkeypatch: Any) -> None:
    at_home = tmp_path / ".config" / "foyer" / "foyer.yaml"
    at_home.parent.mkdir(parents=True)
    at_home.touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert find(None, {"HOME": str(tmp_path)}) == at_home

    (tmp_path / "here" / "foyer.yaml").touch()
    assert find(None, {"HOME": str(tmp_path)}) == Path("foyer.yaml")


def test_find_in_a_folder_that_may_not_be_entered_looks_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `runuser -u foyer` in the folder of root."""
    closed, home = tmp_path / "closed", tmp_path / "home"
    closed.mkdir()
    at_home = home / ".config" / "foyer" / "foyer.yaml"
    at_home.parent.mkdir(parents=True)
    at_home.touch()
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    monkeypatch.chdir(closed)
    closed.chmod(0)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)

        assert find(None, {"HOME": str(home)}) == at_home
    finally:
        os.seteuid(before)
        closed.chmod(0o700)


def test_problem_without_key_and_value_is_its_sentence() -> None:
    assert str(Problem("", "", "There is none.")) == "There is none."
    assert str(Problem("", "", "Twice.", "foyer.yaml")) == "foyer.yaml: Twice."
    assert str(Problem("a", "", "No.", "line 1")) == "a (line 1): No."
    assert str(Problem("a", "1", "No.")) == "a = 1: No."


def test_check_leaves_what_it_was_given_unchanged() -> None:
    values = {"server_name": "a.b", "public_url": "https://a.b", "homeserver": {"admin_token": "x", "mas": None}}

    check(values)

    assert values["homeserver"] == {"admin_token": "x", "mas": None}


def test_errors_are_imported_without_the_schema() -> None:
    """`foyer --help` must not wait for what it does not need."""
    heavy = "import sys, foyer.config.errors; print({'pydantic', 'yaml', 'django'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
