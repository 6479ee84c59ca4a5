"""The servers that other tests rest on do what their docstrings promise."""

from __future__ import annotations

import psycopg
import pytest

from dev.postgres import Postgres
from dev.synapse import Synapse
from tests.support.synapse import homeserver_keys


@pytest.mark.synapse
def test_synapse_shared_makes_people_who_can_sign_in(synapse: Synapse) -> None:
    assert synapse.register("dev-maria", "a good password")[0] == 200

    status, answer = synapse.login("dev-maria", "a good password")

    assert (status, answer["user_id"]) == (200, "@dev-maria:localhost")
    assert "@dev-maria:localhost" in [user["name"] for user in synapse.users()]
    assert synapse.user("dev-nobody") is None


@pytest.mark.synapse
def test_synapse_after_a_kill_and_restart_knows_its_people_and_its_administrator(own_synapse: Synapse) -> None:
    own_synapse.register("maria", "a good password")
    own_synapse.kill()

    with pytest.raises(OSError, match="refused"):
        own_synapse.login("maria", "a good password")
    own_synapse.restart()

    assert own_synapse.login("maria", "a good password")[0] == 200
    assert [user["name"] for user in own_synapse.users()] == ["@maria:localhost"]


@pytest.mark.synapse
def test_homeserver_keys_for_each_kind_of_credentials_hold_only_those(synapse: Synapse, credentials: str) -> None:
    keys = homeserver_keys(synapse, credentials)

    assert ("registration_shared_secret" in keys, "admin_token" in keys) == {
        "secret": (True, False),
        "token": (False, True),
        "both": (True, True),
    }[credentials]


def test_postgres_makes_databases_and_copies_of_them(postgres: Postgres) -> None:
    original = postgres.create_database("dev_original")
    with psycopg.connect(original, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE shelf AS SELECT 'book' AS thing")

    copy = postgres.create_database("dev_copy", template="dev_original")

    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT thing, upper('ä') FROM shelf").fetchone() == ("book", "Ä")
