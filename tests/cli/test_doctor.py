"""`foyer doctor`: what it says of a house that is in order, and of each thing that is not."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dev.postgres import Postgres
from dev.synapse import Synapse
from tests.support.server import RunningFoyer, running_foyer
from tests.support.smtp import Sink
from tests.support.synapse import homeserver_keys


def doctor(foyer: RunningFoyer, *args: str) -> tuple[int, list[dict[str, str]]]:
    """Return the status, and the findings."""
    done = foyer.cli("doctor", "--json", *args, check=False)
    told = json.loads(done.stdout)
    assert done.stderr == ""
    assert told["ok"] == (done.returncode == 0)
    return done.returncode, told["findings"]


def about(findings: list[dict[str, str]], what: str) -> list[tuple[str, str]]:
    """Return level and sentence of the findings on one thing."""
    return [(one["level"], one["sentence"]) for one in findings if one["about"] == what]


def remedies(findings: list[dict[str, str]], what: str) -> str:
    """Return all remedies for one thing."""
    return " ".join(one["remedy"] for one in findings if one["about"] == what)


class Proxy:
    """A reverse proxy that passes on what `passes` says, with the headers that `adds` names."""

    def __init__(self, passes: Callable[[str], object] = str, adds: dict[str, str] | None = None) -> None:
        self.passes, self.adds = passes, adds or {}
        self.target = 0
        self.answers: tuple[int, dict[str, str]] | None = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                proxy.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request on, or answer like something else."""
        status, headers, body = 404, {"Content-Type": "text/plain"}, b"somebody else's page"
        if self.answers is not None:
            status, headers = self.answers
        elif self.passes(handler.path):
            connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
            try:
                connection.request("GET", handler.path, headers={**dict(handler.headers.items()), **self.adds})
                found = connection.getresponse()
                status, headers, body = found.status, dict(found.getheaders()), found.read()
            except OSError:
                status = 502
            finally:
                connection.close()
        handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextlib.contextmanager
def behind(proxy: Proxy, folder: Path, **config: Any) -> Iterator[RunningFoyer]:
    """Run Foyer behind a proxy."""
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with running_foyer(folder, public_url=proxy.url, arguments=["--no-worker"], start=False, **config) as foyer:
            proxy.target = foyer.port
            foyer.start()
            yield foyer
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


@pytest.mark.synapse
def test_doctor_of_a_house_in_order_finds_no_fault(tmp_path: Path, synapse: Synapse) -> None:
    keys = homeserver_keys(synapse, "both")
    with running_foyer(tmp_path, homeserver=keys, server_name=synapse.server_name) as foyer:
        status, findings = doctor(foyer)
        assert status == 0
        assert {one["level"] for one in findings} == {"ok"}
        assert about(findings, "Configuration")[0] == ("ok", f"{foyer.config_path}.")
        assert about(findings, "Database")[:2] == [
            ("ok", f"{foyer.folder}/foyer.sqlite3 answers."),
            ("ok", "It is up to date and can be written."),
        ]
        assert ("ok", "The homeserver's clock agrees.") in about(findings, "Clock")
        assert about(findings, "Door") == [
            ("ok", f"http://localhost:{foyer.port} leads to this Foyer."),
            ("ok", "No proxy stands between. That is fine for trying things out on this machine."),
            ("ok", "Passed on: /register, /static, /i, /api."),
        ]
        words = foyer.cli("doctor").stdout
        assert words.startswith("Configuration:\n  ok ")
        assert words.endswith("\nAll is well.\n")
        assert max(len(line) for line in words.splitlines() if str(tmp_path) not in line) <= 100
        for secret in (synapse.shared_secret, synapse.admin_token, "a key for tests"):
            assert secret not in words


@pytest.mark.synapse
def test_doctor_checks_each_room_of_after_rooms(tmp_path: Path, synapse: Synapse) -> None:
    keys = homeserver_keys(synapse, "both")
    rooms = {"rooms": [f"#nobody-made-this:{synapse.server_name}"]}
    with running_foyer(tmp_path, homeserver=keys, start=False, after=rooms, server_name=synapse.server_name) as foyer:
        foyer.write_config()
        _, findings = doctor(foyer)
        assert any(
            "nobody-made-this" in sentence and level != "ok" for level, sentence in about(findings, "Homeserver")
        )


@pytest.mark.synapse
def test_doctor_with_a_wrong_secret_names_the_key(tmp_path: Path, synapse: Synapse) -> None:
    keys = {**homeserver_keys(synapse, "secret"), "registration_shared_secret": "not this one"}
    with running_foyer(tmp_path, homeserver=keys, start=False, server_name=synapse.server_name) as foyer:
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert "registration_shared_secret" in remedies(findings, "Homeserver")
        assert "not this one" not in json.dumps(findings)


def test_doctor_without_a_homeserver_says_so_and_exits_with_1(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False, after={"welcome_message": "Hello"}) as foyer:
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        level, sentence = about(findings, "Homeserver")[0]
        assert level == "fault"
        assert "http://127.0.0.1:9 does not answer" in sentence
        assert "homeserver.url" in remedies(findings, "Homeserver")
        assert foyer.cli("doctor", check=False).stdout.endswith("\n1 thing must be mended.\n")


def test_doctor_before_the_first_start_makes_no_database(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        _, findings = doctor(foyer)
        assert about(findings, "Database") == [("warning", f"There is no database {foyer.folder}/foyer.sqlite3 yet.")]
        assert about(findings, "Door")[0][1].startswith("Foyer does not run")
        assert sorted(path.name for path in foyer.folder.iterdir()) == ["foyer.yaml"]


def test_doctor_of_a_database_that_lacks_migrations_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        foyer.cli("django", "migrate", "jobs", "--verbosity", "0")
        status, findings = doctor(foyer)
        assert status == 1
        assert "Run `foyer migrate`." in remedies(findings, "Database")


def test_doctor_when_nobody_does_what_is_owed_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        foyer.cli("migrate")
        program = """
from datetime import timedelta
from foyer.jobs.models import Job
from foyer.kit.clock import now
long_ago = now() - timedelta(minutes=10)
Job.objects.create(lane="house", kind="accounts.sweep", subject="", created_at=long_ago, next_attempt_at=long_ago)
Job.objects.create(lane="house", kind="accounts.sweep", subject="", gave_up_at=long_ago)
"""
        foyer.cli("django", "shell", "--no-imports", "-c", program)
        _, findings = doctor(foyer)
        assert ("warning", "1 job is owed, the oldest for 10 minutes.") in about(findings, "Database")
        assert ("warning", "1 job was given up.") in about(findings, "Database")


def test_doctor_of_a_wrong_configuration_names_each_problem(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False, public_url="join.example.org", lisen="x") as foyer:
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert [one["about"] for one in findings] == ["Configuration", "Configuration"]


def test_doctor_of_a_missing_database_folder_names_it(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False, secret_key=None) as foyer:
        foyer.config["database"] = f"sqlite:///{tmp_path}/nowhere/foyer.sqlite3"
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert f"{tmp_path}/nowhere does not exist" in about(findings, "Database")[0][1]
        foyer.config["secret_key"] = "a key for tests that is long enough for every purpose"
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert f"{tmp_path}/nowhere does not exist" in about(findings, "Database")[0][1]


def test_doctor_of_a_readable_configuration_warns(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        foyer.config_path.chmod(0o644)
        _, findings = doctor(foyer)
        assert f"Run `chmod 600 {foyer.config_path}`." in remedies(findings, "Configuration")


def test_doctor_on_postgresql_shows_the_place_without_the_password(tmp_path: Path, postgres: Postgres) -> None:
    with running_foyer(tmp_path, postgres.create_database("doctor"), start=False) as foyer:
        foyer.write_config()
        foyer.cli("migrate")
        _, findings = doctor(foyer)
        assert ("ok", "It is up to date and can be written.") in about(findings, "Database")
        assert postgres.password not in json.dumps(findings)
        foyer.config["database"] = postgres.url("no_such_database")
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert about(findings, "Database")[-1][1].startswith("PostgreSQL has no database postgresql://")


def test_doctor_behind_a_proxy_that_says_who_comes_finds_nothing_wrong(tmp_path: Path) -> None:
    proxy = Proxy(adds={"X-Forwarded-For": "203.0.113.7"})
    with behind(proxy, tmp_path, trusted_proxies=["127.0.0.1"]) as foyer:
        _, findings = doctor(foyer)
        assert about(findings, "Door") == [
            ("ok", f"{proxy.url} leads to this Foyer."),
            ("ok", "Foyer knows whom requests come from: this one from 203.0.113.7."),
            ("ok", "Passed on: /register, /static, /i, /api."),
        ]


def test_doctor_behind_a_proxy_that_is_not_believed_says_which_line(tmp_path: Path) -> None:
    with behind(Proxy(adds={"X-Forwarded-For": "203.0.113.7"}), tmp_path) as foyer:
        _, findings = doctor(foyer)
        assert "trusted_proxies: [127.0.0.1]" in remedies(findings, "Door")


def test_doctor_behind_the_predecessors_nginx_rule_says_what_is_missing(tmp_path: Path) -> None:
    with behind(Proxy(passes=lambda path: path.startswith(("/static", "/register"))), tmp_path) as foyer:
        _, findings = doctor(foyer)
        found = about(findings, "Door")
        assert [sentence for level, sentence in found if level == "warning"] == [
            "The proxy does not say whom requests come from: no limit for each visitor is applied.",
            "/i does not reach Foyer: the short links that `foyer invite` prints are dead.",
            "/api does not reach Foyer: matrix-registration's API is closed to programs elsewhere.",
        ]
        assert ("ok", "Passed on: /register, /static.") in found
        assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in remedies(findings, "Door")
        assert "foyer invite link --plain" in remedies(findings, "Door")


def test_doctor_behind_a_proxy_that_forgets_static_finds_a_fault(tmp_path: Path) -> None:
    with behind(Proxy(passes=lambda path: not path.startswith("/static")), tmp_path) as foyer:
        status, findings = doctor(foyer)
        assert status == 1
        assert ("fault", "/static does not reach Foyer: pages have no looks.") in about(findings, "Door")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((404, {}), "Something else than Foyer answers at {url}/register (status 404)."),
        ((200, {}), "Something else than Foyer answers at {url}/register (status 200)."),
        ((502, {}), "The proxy at {url} does not reach Foyer (status 502)."),
        ((301, {"Location": "https://join.example.org/x"}), "{url} leads on to https://join.example.org/x."),
    ],
)
def test_doctor_when_somebody_else_answers_says_so(
    tmp_path: Path, answers: tuple[int, dict[str, str]], said: str
) -> None:
    proxy = Proxy()
    proxy.answers = answers
    with behind(proxy, tmp_path) as foyer:
        status, findings = doctor(foyer)
        assert status == 1
        assert about(findings, "Door") == [("fault", said.format(url=proxy.url))]


def test_doctor_when_another_foyer_answers_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path, arguments=["--no-worker"]) as foyer:
        foyer.config["secret_key"] = "another key that is long enough for every purpose"
        foyer.write_config()
        _, findings = doctor(foyer)
        assert about(findings, "Door")[0][1].startswith(f"Another Foyer answers at {foyer.config['public_url']}")


@pytest.mark.parametrize(
    ("public_url", "said", "remedy"),
    [
        ("https://no.such.host.invalid", "its name is not known here", "no.such.host.invalid an address in DNS"),
        ("http://127.0.0.1:9", "nothing listens there", "Start the proxy"),
    ],
)
def test_doctor_when_the_public_url_leads_nowhere_says_why(
    tmp_path: Path, public_url: str, said: str, remedy: str
) -> None:
    with running_foyer(tmp_path, arguments=["--no-worker"], public_url=public_url) as foyer:
        status, findings = doctor(foyer)
        assert status == 1
        assert about(findings, "Door") == [("fault", f"{public_url} cannot be reached from here: {said}.")]
        assert remedy in remedies(findings, "Door")


def test_doctor_looks_at_mail_and_sends_one_when_asked(tmp_path: Path) -> None:
    sink = Sink()
    sink.start()
    keys = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "join@example.org"}
    try:
        with running_foyer(tmp_path, start=False, email=keys) as foyer:
            foyer.write_config()
            _, findings = doctor(foyer)
            assert about(findings, "Mail")[0][1].startswith(
                "127.0.0.1 lets Foyer in; mails come from join@example.org."
            )
            assert sink.taken == []
            _, findings = doctor(foyer, "--mail-to", "maria@example.org")
            assert about(findings, "Mail")[1] == (
                "ok",
                "A mail to maria@example.org was taken. Look whether it arrived, and in which folder.",
            )
            assert sink.taken[0].recipients == ["maria@example.org"]
    finally:
        sink.stop()


def test_doctor_when_the_mail_server_is_not_there_says_so(tmp_path: Path) -> None:
    keys = {"host": "127.0.0.1", "port": 9, "security": "none", "from": "join@example.org"}
    with running_foyer(tmp_path, start=False, email=keys) as foyer:
        foyer.write_config()
        status, findings = doctor(foyer)
        assert status == 1
        assert about(findings, "Mail")[0][0] == "fault"


def test_doctor_asked_to_mail_without_mail_finds_a_fault(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        _, findings = doctor(foyer, "--mail-to", "maria@example.org")
        assert about(findings, "Mail") == [("fault", "No mail can be sent.")]
