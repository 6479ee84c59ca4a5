"""`config`, `migrate`, `cleanup`, `django`, `generate`, `status`, `worker` and `demo`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from dev import processes
from foyer.accounts.models import Account
from foyer.invites.models import Invite
from foyer.kit.clock import now
from tests.cli.conftest import Foyer
from tests.support.server import command, environment, running_foyer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a foyer.yaml."""
    values = {
        "server_name": "example.org",
        "public_url": "https://join.example.org",
        "homeserver": {"url": "http://127.0.0.1:9", "registration_shared_secret": "a-secret-word"},
        "database": "sqlite:///foyer.sqlite3",
    }
    (tmp_path / "foyer.yaml").write_text(yaml.safe_dump(values))
    return tmp_path


def outside(folder: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `foyer` as a process of its own."""
    return subprocess.run(
        command(*args),
        cwd=folder,
        env={**environment(), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_config_show_masks_secrets_and_says_where_it_comes_from(folder: Path) -> None:
    done = outside(folder, "config", "show")
    assert done.stdout.startswith("# From foyer.yaml and the defaults.\nserver_name: example.org\n")
    assert "a-secret-word" not in done.stdout
    assert yaml.safe_load(done.stdout)["invitations"]["expires"] == "7d"


def test_config_show_as_json_counts_the_environment(folder: Path) -> None:
    done = outside(folder, "config", "show", "--json", FOYER_LISTEN="127.0.0.1:7777")
    assert json.loads(done.stdout)["listen"] == "127.0.0.1:7777"


def test_config_check_when_right_says_so(folder: Path) -> None:
    assert outside(folder, "config", "check").stdout == (
        "foyer.yaml is right. `foyer doctor` looks at what it names.\n"
    )
    assert json.loads(outside(folder, "config", "check", "--json").stdout) == {
        "ok": True,
        "file": "foyer.yaml",
        "problems": [],
    }


def test_config_check_when_wrong_names_every_problem(folder: Path) -> None:
    with (folder / "foyer.yaml").open("a") as file:
        file.write("public_ulr: https://x\ninvitations: {uses: none}\n")
    done = outside(folder, "--config-path", "foyer.yaml", "config", "check")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    told = json.loads(outside(folder, "config", "check", "--json").stdout)
    assert not told["ok"]
    assert {problem["key"] for problem in told["problems"]} == {"public_ulr", "invitations.uses"}
    assert all(problem["sentence"] and "foyer.yaml, line" in problem["where"] for problem in told["problems"])


def test_config_dist_prints_every_key(folder: Path) -> None:
    shipped = Path(__file__).resolve().parents[2] / "foyer.dist.yaml"
    assert outside(folder, "config", "dist").stdout == shipped.read_text()


def test_migrate_makes_the_database_and_then_has_nothing_to_do(folder: Path) -> None:
    before = outside(folder, "migrate", "--check")
    assert before.returncode == 1
    assert before.stderr.endswith("Run `foyer migrate`.\n")
    assert outside(folder, "migrate").stdout.startswith("Brought up to date: ")
    assert outside(folder, "migrate").stdout == "The database is up to date.\n"
    assert outside(folder, "migrate", "--check").returncode == 0
    assert (folder / "foyer.sqlite3").stat().st_mode & 0o777 == 0o600


def test_commands_before_the_first_migration_say_so(folder: Path) -> None:
    done = outside(folder, "invite", "list")
    assert done.returncode == 1
    assert done.stderr == (
        f"The database {folder}/foyer.sqlite3 lacks tables of this version of Foyer. Run `foyer migrate`.\n"
    )
    worker = outside(folder, "worker")
    assert worker.returncode == 1
    assert worker.stderr.endswith("Run `foyer migrate` first.\n")


def test_commands_on_a_database_of_a_newer_version_refuse(folder: Path) -> None:
    outside(folder, "migrate")
    later = "INSERT INTO django_migrations (app, name, applied) VALUES ('invites', '0099_later', '2027-01-01')"
    outside(folder, "django", "shell", "-c", f"from django.db import connection as c; c.cursor().execute({later!r})")
    for words in (["migrate"], ["migrate", "--check"], ["serve"], ["backup", "x.backup"]):
        done = outside(folder, *words)
        assert done.returncode == 1
        assert "newer version of Foyer (invites.0099_later)" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_database_that_may_not_be_written_says_so(folder: Path) -> None:
    outside(folder, "migrate")
    (folder / "foyer.sqlite3").chmod(0o400)
    done = outside(folder, "invite", "create")
    assert done.returncode == 1
    assert "may not be written" in done.stderr


def test_a_database_server_that_is_not_there_says_so(folder: Path) -> None:
    where = {"FOYER_DATABASE": "postgresql://foyer:word@127.0.0.1:9/foyer", "FOYER_SECRET_KEY": "x" * 40}
    for words in (["migrate"], ["invite", "list"], ["serve"], ["worker"]):
        done = outside(folder, *words, **where)
        assert done.returncode == 1
        assert done.stderr.startswith("PostgreSQL at postgresql://foyer:********@127.0.0.1:9/foyer does not answer: ")
        assert "word@" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
def test_cleanup_forgets_ips(foyer: Foyer) -> None:
    Account.objects.create(localpart="maria", ip="192.0.2.1", begun_at=now() - timedelta(days=31))
    said = foyer("cleanup")
    assert said.status == 0
    assert "accounts.forget-ips" in said.out
    assert Account.objects.get().ip is None


def test_django_runs_any_management_command(folder: Path) -> None:
    done = outside(folder, "django", "showmigrations", "invites")
    assert done.returncode == 0
    assert done.stdout.startswith("invites\n")
    unknown = outside(folder, "django", "nonsense")
    assert unknown.returncode == 1
    assert "Unknown command" in unknown.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
class TestThePredecessorsWords:
    """`generate` and `status`, as facts about matrix-registration have them."""

    def test_generate_prints_the_name_only(self, foyer: Foyer) -> None:
        said = foyer("generate", "-m", "3", "-e", "2099-01-31")
        invite = Invite.objects.get()
        assert said.out == f"{invite.code}\n"
        assert invite.uses_limit == 3
        assert re.fullmatch(r"([A-Z][a-z]+)+", invite.code)

    def test_generate_ignores_the_defaults_of_invitations(self, foyer: Foyer) -> None:
        foyer("generate")
        invite = Invite.objects.get()
        assert (invite.uses_limit, invite.expires_at) == (None, None)

    def test_generate_one_time(self, foyer: Foyer) -> None:
        foyer("generate", "-o")
        assert Invite.objects.get().uses_limit == 1

    @pytest.mark.parametrize("words", [["-e", "soon"], ["-m", "-1"], ["-m", "x"]])
    def test_generate_with_nonsense_is_refused(self, foyer: Foyer, words: list[str]) -> None:
        assert foyer("generate", *words).status == 2
        assert Invite.objects.count() == 0

    def test_status_without_a_flag_prints_nothing(self, foyer: Foyer) -> None:
        said = foyer("status")
        assert (said.status, said.out) == (0, "")

    def test_status_shows_lists_and_disables(self, foyer: Foyer) -> None:
        name = foyer("generate").out.strip()
        shown = foyer("status", "-s", name).out
        assert shown.startswith("This token is valid\n{")
        assert json.loads(shown.partition("\n")[2])["name"] == name
        assert foyer("status", "-l").out == f"{name}\n"
        assert foyer("status", "-s", "Nobody", "-l", "-d", name).out == "Token disabled\n"
        assert foyer("status", "-s", name).out.startswith("This token is not valid\n")

    def test_status_fails_with_the_predecessors_words_and_status_1(self, foyer: Foyer) -> None:
        unknown = foyer("status", "-s", "Nobody")
        assert (unknown.status, unknown.out) == (1, "No token with that name\n")
        disabled = foyer("status", "-d", "Nobody")
        assert (disabled.status, disabled.out) == (1, "Token couldn't be disabled\n")


def test_worker_stops_when_told(folder: Path) -> None:
    outside(folder, "migrate")
    log = folder / "worker.log"
    process = processes.spawn(command("worker"), log=log, cwd=folder, env=environment())
    time.sleep(3)
    assert process.poll() is None, log.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_demo_lets_somebody_join_and_keeps_nothing(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    process = processes.spawn(command("demo", "--port", "0"), log=log, cwd=tmp_path, env=environment())
    try:
        processes.wait_until(lambda: "Ctrl-C" in log.read_text(), process, log=log, seconds=60)
        link = next(line.strip() for line in log.read_text().splitlines() if "/i/" in line)
        base, _, code = link.rpartition("/i/")
        with processes.open_directly(link, seconds=60) as answer:
            assert "The demo" in answer.read().decode()
        body = f"username=maria&password=verysecure&confirm=verysecure&token={code}".encode()
        with processes.open_directly(urllib.request.Request(f"{base}/register", body), seconds=60) as answer:
            assert json.loads(answer.read())["user_id"] == "@maria:localhost"
        config = re.search(r"--config (\S+)", log.read_text())
        assert config is not None
        assert json.loads(outside(tmp_path, "--config", config[1], "invite", "list", "--json").stdout)[0]["used"] == 1
    finally:
        processes.stop(process, number=signal.SIGINT)
    assert process.returncode == 0
    assert log.read_text().endswith("Gone, and nothing was kept.\n")
    assert not Path(config[1]).parent.exists()
    assert list(tmp_path.iterdir()) == [log]


def test_a_foyer_on_a_socket_of_ipv6_answers(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.config["listen"] = f"[::1]:{foyer.port}"
        foyer.start(wait=False)
        assert foyer.process is not None
        processes.wait_until(lambda: "Foyer is open" in foyer.log, foyer.process, log=foyer.log_path, seconds=60)
        assert f"listening on [::1]:{foyer.port}" in foyer.log
