"""Dendrite by its shared secret."""

from __future__ import annotations

import pytest

from dev.proxy import Repeat, Status
from foyer.homeserver.dendrite import Dendrite
from foyer.homeserver.errors import Misconfigured, NotPossible, PasswordRefused, Unreachable
from foyer.homeserver.http import Client
from foyer.homeserver.port import Level
from tests.homeserver.dendrite_double import DendriteDouble
from tests.homeserver.uia_world import dendrite_world
from tests.homeserver.worlds import PASSWORD, TIMEOUT, new_name


def test_create_signs_the_device_out_that_nobody_asked_for() -> None:
    with dendrite_world() as world:
        name = new_name()

        assert world.homeserver.create(name, PASSWORD).access_token is None
        assert world.devices(name) == 0


def test_create_with_sign_in_keeps_it() -> None:
    with dendrite_world() as world:
        name = new_name()

        created = world.homeserver.create(name, PASSWORD, sign_in=True)

        assert list(world.double.people[name].devices) == [created.access_token]


def test_create_with_a_short_password_is_refused_before_anything_is_asked() -> None:
    with dendrite_world() as world:
        with pytest.raises(PasswordRefused) as error:
            world.homeserver.create(new_name(), "7 signs")

        assert str(error.value) == "Use at least 8 characters."
        assert world.chaos.seen == []


def test_create_and_probe_with_a_wrong_secret_name_key_and_file() -> None:
    with dendrite_world() as world:
        homeserver = Dendrite(Client(world.chaos.url, timeout=TIMEOUT), "localhost", "not the one")

        with pytest.raises(Misconfigured) as error:
            homeserver.create(new_name(), PASSWORD)
        probe = homeserver.probe()

        assert "homeserver.registration_shared_secret is wrong." in error.value.remedy
        assert "dendrite.yaml (client_api)" in error.value.remedy
        assert [it.remedy for it in probe.findings if it.level is Level.FAULT] == [error.value.remedy]
        assert "not the one" not in repr(homeserver) + repr(probe) + error.value.detail


def test_create_whose_request_is_sent_twice_is_ours_all_the_same() -> None:
    with dendrite_world() as world:
        name = new_name()
        world._spoil(Repeat())

        assert world.homeserver.create(name, PASSWORD).mxid == f"@{name}:localhost"


def test_create_sent_twice_while_no_password_can_be_tried_may_have_been_done() -> None:
    with dendrite_world() as world:
        world._spoil(Repeat())
        world.chaos.add(Status(429, "{}"), "POST", "/login$", times=1)

        with pytest.raises(Unreachable) as error:
            world.homeserver.create(new_name(), PASSWORD)

        assert error.value.maybe_done


def test_create_with_a_nonce_that_is_gone_may_have_been_done_for_all_that_is_known() -> None:
    with dendrite_world() as world:
        assert isinstance(world.double, DendriteDouble)
        world.double._nonces = Forgetful()

        with pytest.raises(Unreachable) as error:
            world.homeserver.create(new_name(), PASSWORD)

        assert error.value.maybe_done


class Forgetful(set[str]):
    """Forgets at once."""

    def add(self, _element: str) -> None:
        """Keep nothing."""


def test_probe_of_a_server_that_is_right_finds_no_fault_and_makes_nothing() -> None:
    with dendrite_world() as world:
        probe = world.homeserver.probe()

        assert (probe.version, probe.is_sound) == ("Dendrite 0.14", True)
        assert "The registration shared secret is right." in [it.sentence for it in probe.findings]
        assert world.double.people == {}


def test_probe_of_a_server_without_a_secret_says_where_to_put_one() -> None:
    with dendrite_world() as world:
        assert isinstance(world.double, DendriteDouble)
        world.double.shared_secret = ""

        faults = [it for it in world.homeserver.probe().findings if it.level is Level.FAULT]

        assert [fault.sentence for fault in faults] == ["The registration shared secret makes no accounts."]
        assert faults[0].remedy.startswith("Put registration_shared_secret into the client_api of dendrite.yaml")


def test_everything_else_is_not_possible_and_names_servers_where_it_is() -> None:
    with dendrite_world() as world:
        with pytest.raises(NotPossible) as error:
            world.homeserver.attach_email("maria", "maria@example.org")

        assert error.value.remedy == "Dendrite lets nobody do this from outside. Synapse and Tuwunel do."
