"""The homeserver of the configuration: one per process."""

from __future__ import annotations

import os

import pytest

from foyer import config as configuration
from foyer.config.load import load
from foyer.config.schema import Config
from foyer.homeserver.dendrite import Dendrite
from foyer.homeserver.make import current, make, using
from foyer.homeserver.mas import Mas
from foyer.homeserver.memory import MemoryHomeserver
from foyer.homeserver.port import Capability
from foyer.homeserver.synapse import Synapse
from foyer.homeserver.uia import RegistrationServer


def _config(**keys: str) -> Config:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOYER_HOMESERVER")}
    return load(None, environment | {f"FOYER_HOMESERVER__{key.upper()}": value for key, value in keys.items()})


def test_make_takes_everything_from_the_configuration() -> None:
    config = _config(
        url="https://hs.example.test/base/", registration_shared_secret="s", admin_token="t", verify_tls="false"
    )

    made = make(config)

    assert isinstance(made, Synapse)
    assert (made.client.url, made.server_name) == ("https://hs.example.test/base", config.server_name)
    assert (made.shared_secret, made.admin_token) == ("s", "t")


@pytest.mark.parametrize(
    ("keys", "one_step", "can_hold"),
    [
        ({"registration_shared_secret": "s"}, True, False),
        ({"admin_token": "t"}, False, True),
        ({"registration_shared_secret": "s", "admin_token": "t"}, True, True),
    ],
)
def test_make_gives_the_capabilities_of_the_credentials(
    keys: dict[str, str], *, one_step: bool, can_hold: bool
) -> None:
    made = make(_config(**keys))

    assert made.create_is_one_step == one_step
    assert (Capability.HOLD in made.capabilities) == can_hold


@pytest.mark.parametrize(
    ("keys", "adapter", "secret"),
    [
        ({"kind": "mas", "mas__url": "http://mas", "mas__client_id": "i", "mas__client_secret": "s3"}, Mas, "s3"),
        ({"kind": "tuwunel", "registration_shared_secret": "s3", "admin_token": "t"}, Synapse, "s3"),
        ({"kind": "dendrite", "registration_shared_secret": "s3"}, Dendrite, "s3"),
        ({"kind": "uia", "registration_token": "s3"}, RegistrationServer, "s3"),
    ],
)
def test_make_of_each_kind_takes_its_credentials_and_hides_them(
    keys: dict[str, str], adapter: type, secret: str
) -> None:
    made = make(_config(**keys))

    assert isinstance(made, adapter)
    assert Capability.CREATE in made.capabilities
    assert secret in vars(made).values()
    assert f"'{secret}'" not in repr(made)


def test_make_of_consent_gives_the_capability_only_where_it_is_configured() -> None:
    keys = {"registration_shared_secret": "s"}

    assert Capability.CONSENT not in make(_config(**keys)).capabilities
    asking = _config(**keys, consent__version="1", consent__form_secret="f")
    assert Capability.CONSENT in make(asking).capabilities


def test_current_is_one_and_follows_the_configuration() -> None:
    first = current()

    with configuration.override(_config(registration_shared_secret="another")):
        second = current()

    assert current() is not second
    assert first is not second
    assert current() is current()


def test_using_another_homeserver_ends_with_the_block() -> None:
    before, double = current(), MemoryHomeserver()

    with using(double):
        assert current() is double

    assert current() is before


def test_current_is_made_anew_in_a_forked_process() -> None:
    before = id(current())
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(writing, b"same" if id(current()) == before else b"new")
        os._exit(0)

    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"new"
