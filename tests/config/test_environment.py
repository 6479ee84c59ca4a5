"""The names that the environment may use."""

from __future__ import annotations

from foyer.config.environment import read_environment
from foyer.config.keys import all_keys


def test_environment_every_key_can_be_set() -> None:
    given = read_environment({key.environment: "x" for key in all_keys()})

    assert (set(given.values), given.problems) == ({key.path for key in all_keys()}, [])


def test_environment_every_secret_can_stand_in_a_file() -> None:
    given = read_environment({f"{key.environment}_FILE": "x" for key in all_keys() if key.may_be_a_file})

    assert [".".join(path) for path in sorted(given.files)] == [
        "api.legacy_shared_secret",
        "database",
        "email.password",
        "homeserver.admin_token",
        "homeserver.consent.form_secret",
        "homeserver.mas.client_secret",
        "homeserver.registration_shared_secret",
        "homeserver.registration_token",
        "secret_key",
    ]


def test_environment_names_of_others_are_left_alone() -> None:
    given = read_environment(
        {
            "FOYER_CONFIG": "x",
            "FOYER_TEST_DATABASE": "x",
            "FOYER_PORT": "tcp://10.0.0.1:80",
            "FOYER_PORT_80_TCP_ADDR": "10.0.0.1",
            "FOYER_SERVICE_HOST": "10.0.0.1",
            "SERVER_NAME": "x",
        }
    )

    assert (given.values, given.files, given.problems) == ({}, {}, [])


def test_environment_unknown_name_is_refused_with_the_nearest() -> None:
    given = read_environment(
        {"FOYER_HOMESERVER_URL": "x", "FOYER_EMAIL": "x", "FOYER_ZZZZZZZZZZZ": "x", "FOYER_BRANDING__NAME_FILE": "x"}
    )

    assert [str(problem) for problem in given.problems] == [
        "FOYER_BRANDING__NAME_FILE: Foyer has no such key. Did you mean FOYER_BRANDING__NAME?",
        "FOYER_EMAIL: This is a block of keys. Set one of them, such as FOYER_EMAIL__HOST.",
        "FOYER_HOMESERVER_URL: Foyer has no such key. Did you mean FOYER_HOMESERVER__URL?",
        "FOYER_ZZZZZZZZZZZ: Foyer has no such key. Remove it.",
    ]


def test_environment_value_that_is_not_utf8_is_refused() -> None:
    assert [str(problem) for problem in read_environment({"FOYER_SERVER_NAME": "caf\udce9"}).problems] == [
        "FOYER_SERVER_NAME: This is not UTF-8. Set it again."
    ]
