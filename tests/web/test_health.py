"""What machines ask: /health, /healthz, /readyz, /metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from foyer.accounts.models import Account, State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites.models import Invite
from foyer.jobs.models import Job
from foyer.kit.clock import now
from foyer.web import health
from tests.conftest import Configure

database = [pytest.mark.django_db(transaction=True), pytest.mark.database]
ALL_WELL = {"ready": True, "checks": {"database": "ok", "migrations": "ok", "homeserver": "ok"}}


@pytest.fixture(autouse=True)
def fresh_looks() -> Iterator[None]:
    """Remember nothing of earlier tests, and leave no thread behind."""
    health.forget()
    yield
    for look in health.kept().values():
        if look.thread is not None:
            look.thread.join(60)
    health.forget()


def test_health_is_the_predecessors(client: Client) -> None:
    response = client.get("/health")

    assert (response.status_code, response.content) == (200, b"OK")
    assert response["Content-Type"].startswith("text/plain")


def test_healthz_asks_nobody(client: Client) -> None:
    # No database is marked for this test, so asking one would fail.
    response = client.get("/healthz", headers={"Host": "10.1.2.3:5000"})

    assert (response.status_code, response.json()) == (200, {"alive": True})


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz", "/metrics"])
def test_post_is_405(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


class TestReady:
    pytestmark = database

    def test_all_well_is_200(self, client: Client, homeserver: MemoryHomeserver) -> None:
        response = client.get("/readyz")

        assert (response.status_code, response.json()) == (200, ALL_WELL)
        assert response["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("fault", "found"),
        [
            (Fault.DOWN, "homeserver-unreachable"),
            (Fault.BUSY, "homeserver-busy"),
            (Fault.MISCONFIGURED, "homeserver-misconfigured"),
        ],
    )
    def test_homeserver_that_does_not_answer_is_503_and_said(
        self, client: Client, homeserver: MemoryHomeserver, fault: Fault, found: str
    ) -> None:
        homeserver.fail(fault, "exists")

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json() == {"ready": False, "checks": {**ALL_WELL["checks"], "homeserver": found}}  # type: ignore[dict-item]

    def test_homeserver_is_asked_once_for_many_questions(self, client: Client, homeserver: MemoryHomeserver) -> None:
        for _ in range(20):
            client.get("/readyz")

        assert homeserver.calls == ["exists"]

    def test_homeserver_that_hangs_holds_nobody_up(self, client: Client, homeserver: MemoryHomeserver) -> None:
        homeserver.delay = 6.0
        response = client.get("/readyz")
        client.get("/healthz")

        assert response.status_code == 503
        assert response.json()["checks"]["homeserver"] == "no answer yet"
        assert any(look.thread is not None and look.thread.is_alive() for look in health.kept().values())

    def test_homeserver_that_hangs_is_asked_by_one_thread_at_a_time(
        self, client: Client, homeserver: MemoryHomeserver
    ) -> None:
        homeserver.delay = 1.0
        askers = [threading.Thread(target=lambda: Client().get("/readyz")) for _ in range(5)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()

        assert homeserver.calls == ["exists"]

    def test_missing_migration_is_503_and_said(self, client: Client, homeserver: MemoryHomeserver) -> None:
        applied = MigrationRecorder.Migration.objects.using("default")
        last = applied.filter(app="jobs").order_by("-id").first()
        assert last is not None
        last.delete()
        try:
            response = client.get("/readyz")
        finally:
            applied.create(app=last.app, name=last.name, applied=last.applied)

        assert response.status_code == 503
        assert response.json()["checks"]["migrations"] == "1 missing; run `foyer migrate`"

    def test_database_that_does_not_answer_is_503_and_said(
        self, client: Client, homeserver: MemoryHomeserver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # This thread keeps its connection; those of the looking threads are made anew.
        key = "NAME" if connection.vendor == "sqlite" else "HOST"
        monkeypatch.setitem(connection.settings_dict, key, "/nowhere/at/all")

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["checks"] == {
            "database": "does not answer",
            "migrations": "unknown, because the database does not answer",
            "homeserver": "ok",
        }

    def test_connections_of_the_looking_threads_are_closed(self, client: Client, homeserver: MemoryHomeserver) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("only a server knows its connections")
        for _ in range(3):
            health.forget()
            client.get("/readyz")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            assert cursor.fetchone() == (1,)


class TestMetrics:
    pytestmark = database

    def figures(self, client: Client) -> dict[str, float]:
        """Return the samples."""
        lines = client.get("/metrics", headers={"Host": "localhost"}).content.decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def test_figures_are_those_of_the_database(self, client: Client, configure: Configure) -> None:
        configure()
        moment = now()
        Invite.objects.create(code="a", uses_limit=3, used=1, held=1, created_by="t")
        Invite.objects.create(code="b", uses_limit=1, used=1, created_by="t")
        Invite.objects.create(code="c", uses_limit=None, expires_at=moment - timedelta(days=1), created_by="t")
        Invite.objects.create(code="d", uses_limit=None, revoked_at=moment, created_by="t")
        Account.objects.create(localpart="x", state=State.OPEN)
        Account.objects.create(localpart="y", state=State.UNKNOWN)
        Job.objects.create(lane="mail", kind="k", subject="1", next_attempt_at=moment - timedelta(seconds=90))
        Job.objects.create(lane="mail", kind="k", subject="2", next_attempt_at=moment + timedelta(hours=1))
        Job.objects.create(lane="house", kind="k", subject="3", gave_up_at=moment)

        figures = self.figures(client)

        assert figures['foyer_accounts{state="open"}'] == 1
        assert figures['foyer_accounts{state="unknown"}'] == 1
        assert figures['foyer_accounts{state="creating"}'] == 0
        assert figures["foyer_invitations"] == 4
        assert figures["foyer_invitations_live"] == 1
        assert figures["foyer_invitation_uses"] == 2
        assert figures["foyer_invitation_uses_held"] == 1
        assert figures['foyer_jobs_owed{lane="mail"}'] == 2
        assert figures['foyer_jobs_owed{lane="homeserver"}'] == 0
        assert figures["foyer_jobs_given_up"] == 1
        assert 90 <= figures["foyer_jobs_oldest_seconds"] < 120
        assert figures["process_resident_memory_bytes"] > 0

    def test_figures_of_an_empty_house_are_nought(self, client: Client, configure: Configure) -> None:
        configure()

        figures = self.figures(client)

        assert (figures["foyer_invitations"], figures["foyer_jobs_oldest_seconds"]) == (0, 0)

    @pytest.mark.parametrize(
        ("trusted", "peer", "headers", "allowed"),
        [
            ([], "127.0.0.1", {"Host": "localhost:5000"}, True),
            ([], "::1", {"Host": "[::1]:5000"}, True),
            ([], "127.0.0.1", {"Host": "127.0.0.1"}, True),
            # A proxy on this machine that passes the public name on, or says for whom it asks, without being trusted.
            ([], "127.0.0.1", {"Host": "join.example.org"}, False),
            ([], "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, False),
            ([], "127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, False),
            ([], "127.0.0.1", {"X-Real-IP": "192.0.2.1"}, False),
            ([], "127.0.0.1", {"Forwarded": "for=192.0.2.1"}, False),
            # The same, trusted: what it says counts, and what was claimed further left does not.
            (["127.0.0.1"], "127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, False),
            (["127.0.0.1"], "127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 192.0.2.1"}, False),
            (["127.0.0.1"], "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, False),
            (["127.0.0.1"], "127.0.0.1", {"X-Forwarded-For": "nonsense"}, False),
            (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, True),
            # Straight from another machine.
            ([], "192.0.2.1", {}, False),
            ([], "10.1.2.3", {}, False),
            (["10.0.0.0/8"], "10.1.2.3", {}, True),
            (["10.0.0.0/8"], "192.0.2.1", {"X-Forwarded-For": "10.1.2.3"}, False),
        ],
    )
    def test_figures_are_for_this_machine_and_trusted_networks(
        self,
        client: Client,
        configure: Configure,
        trusted: list[str],
        peer: str,
        headers: dict[str, str],
        allowed: bool,
    ) -> None:
        configure(trusted_proxies=trusted, hosts=["join.example.org"])

        response = client.get("/metrics", headers={"Host": "localhost", **headers}, REMOTE_ADDR=peer)

        assert (response.status_code == 200) is allowed
        assert (b"foyer_accounts" in response.content) is allowed
