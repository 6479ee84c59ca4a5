"""Tuwunel: Synapse's Admin API without a claim and without times of creation."""

from __future__ import annotations

import pytest

from foyer.homeserver.errors import Misconfigured, NotPossible
from foyer.homeserver.http import Client
from foyer.homeserver.port import Capability, Level, TokenUses
from foyer.homeserver.synapse import Synapse
from foyer.homeserver.tuwunel import TUWUNEL
from foyer.kit.codes import new_code
from tests.homeserver.tuwunel_double import TuwunelDouble
from tests.homeserver.uia_world import tuwunel_world
from tests.homeserver.worlds import PASSWORD, TIMEOUT, new_name


def test_create_with_a_token_alone_is_not_possible_and_sends_nothing() -> None:
    with tuwunel_world("both") as world:
        assert isinstance(world.double, TuwunelDouble)
        client = Client(world.chaos.url, timeout=TIMEOUT)
        homeserver = Synapse(client, "localhost", None, world.double.admin_token, dialect=TUWUNEL)

        with pytest.raises(NotPossible) as error:
            homeserver.create(new_name(), PASSWORD)

        assert "homeserver.registration_shared_secret" in error.value.remedy
        assert Capability.CREATE not in homeserver.capabilities
        assert [seen.method for seen in world.chaos.seen] == ["GET"]


def test_hold_and_look_up_are_not_possible_since_nobody_knows_whose_an_account_is() -> None:
    with tuwunel_world("both") as world:
        assert not {Capability.HOLD, Capability.LOOK_UP} & world.homeserver.capabilities
        for deed in (world.homeserver.look_up, lambda name: world.homeserver.hold(name, PASSWORD)):
            with pytest.raises(NotPossible) as error:
                deed("maria")
            assert "Tuwunel does not say when an account was made" in error.value.remedy


def test_create_with_a_wrong_secret_names_key_and_file() -> None:
    with tuwunel_world("secret") as world:
        homeserver = Synapse(Client(world.chaos.url, timeout=TIMEOUT), "localhost", "wrong", dialect=TUWUNEL)

        with pytest.raises(Misconfigured) as error:
            homeserver.create(new_name(), PASSWORD)

        assert "homeserver's tuwunel.toml" in error.value.remedy


def test_say_is_one_notice_however_often_it_is_said() -> None:
    with tuwunel_world("both") as world:
        name = new_name()
        world.homeserver.create(name, PASSWORD)

        world.homeserver.say(name, "Welcome!")
        world.homeserver.say(name, "Welcome!")

        assert world.double.people[name].notices == ["Welcome!"]


def test_put_token_again_changes_it_and_its_uses_are_counted() -> None:
    with tuwunel_world("both") as world:
        code = new_code()
        assert world.homeserver.token_uses(code) is None

        world.homeserver.put_token(code, uses=1, expires_at=None)
        assert [world.register_natively(code, new_name()) for _ in range(2)] == [True, False]
        world.homeserver.put_token(code, uses=2, expires_at=None)

        assert [world.register_natively(code, new_name()) for _ in range(2)] == [True, False]
        assert world.homeserver.token_uses(code) == TokenUses(pending=0, completed=2)


def test_probe_with_both_credentials_is_sound_and_says_that_nothing_is_held() -> None:
    with tuwunel_world("both") as world:
        probe = world.homeserver.probe()

        sentences = {it.sentence: it.level for it in probe.findings}
        assert probe.is_sound
        assert sentences["The registration shared secret is right."] is Level.OK
        assert sentences["The admin token is that of @foyer-admin:localhost, an admin."] is Level.OK
        assert sentences["Foyer cannot hold accounts until someone says yes."] is Level.WARNING
        assert any("answers: Tuwunel 1.4.6." in sentence for sentence in sentences)
