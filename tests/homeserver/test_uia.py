"""Registering as a client: what servers ask for, and what each refusal means for the owner."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dev.proxy import ChaosProxy, Repeat, Status
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.errors import Misconfigured, NameRefused, NameTaken, NotPossible
from foyer.homeserver.http import Client
from foyer.homeserver.port import Level, Probe
from foyer.homeserver.uia import RegistrationServer
from foyer.homeserver.uia_probe import CAN_NO_MORE
from tests.homeserver.client_double import DUMMY, TOKEN
from tests.homeserver.uia_world import BUSY, OUR_TOKEN, REGISTER, UiaSynapseWorld, registering, uia_world
from tests.homeserver.worlds import PASSWORD, TIMEOUT, new_name

FLOWS = [
    pytest.param([[TOKEN]], id="token"),
    pytest.param([[TOKEN, DUMMY]], id="token, dummy"),
    pytest.param([[DUMMY, TOKEN]], id="dummy, token"),
    pytest.param([["m.login.recaptcha", DUMMY], [TOKEN]], id="captcha or token"),
    pytest.param([[DUMMY]], id="open to all"),
]


def _troubles(probe: Probe) -> list[tuple[Level, str]]:
    return [(it.level, it.sentence) for it in probe.findings if it.level is not Level.OK]


@pytest.mark.parametrize("flows", FLOWS)
@pytest.mark.parametrize("facts", [{}, {"lists_completed": False}, {"ignores_inhibit_login": True}], ids=str)
def test_create_goes_every_way_that_there_is_and_leaves_no_device(
    flows: list[list[str]], facts: dict[str, bool]
) -> None:
    with uia_world(flows=flows, **facts) as world:
        name = new_name()

        created = world.homeserver.create(name, PASSWORD)

        assert (created.mxid, created.access_token) == (f"@{name}:localhost", None)
        assert (world.sign_in(name, PASSWORD), world.devices(name)) == ("ok", 0)


def test_create_with_sign_in_keeps_the_device_and_gives_its_token() -> None:
    with uia_world(ignores_inhibit_login=True) as world:
        name = new_name()

        created = world.homeserver.create(name, PASSWORD, sign_in=True)

        assert list(world.double.people[name].devices) == [created.access_token]


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (["m.login.recaptcha", TOKEN], "needs a captcha, and"),
        ([TOKEN, "m.login.email.identity"], "needs a confirmed email, and"),
        (["m.login.terms", TOKEN], "needs its terms accepted, and"),
        (["m.login.recaptcha", "m.login.terms", TOKEN], "needs a captcha, its terms accepted, and"),
        (["org.example.riddle", TOKEN], "needs org.example.riddle, and"),
    ],
)
def test_create_where_a_stage_cannot_be_done_says_which_and_makes_nothing(stages: list[str], words: str) -> None:
    with uia_world(flows=[stages]) as world:
        name = new_name()

        with pytest.raises(Misconfigured) as error:
            world.homeserver.create(name, PASSWORD)

        assert words in error.value.remedy
        assert name not in world.double.people


@pytest.mark.parametrize("flows", [[[TOKEN]], [[TOKEN, DUMMY]], [[DUMMY, TOKEN]]], ids=str)
@pytest.mark.parametrize("lists_completed", [True, False])
def test_create_with_a_wrong_token_names_the_key_and_never_the_token(
    flows: list[list[str]], caplog: pytest.LogCaptureFixture, *, lists_completed: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    with uia_world(flows=flows, lists_completed=lists_completed) as world:
        homeserver = registering(world.chaos.url, "a-wrong-one")

        with pytest.raises(Misconfigured) as error:
            homeserver.create(new_name(), PASSWORD)

        assert error.value.remedy.startswith("The homeserver does not accept homeserver.registration_token")
        everything = repr(homeserver) + repr(error.value) + str(error.value) + error.value.remedy + error.value.detail
        assert "a-wrong-one" not in everything + caplog.text


def test_create_where_registration_is_off_says_how_to_switch_it_on() -> None:
    with uia_world(allows_registration=False) as world:
        with pytest.raises(Misconfigured) as error:
            world.homeserver.create(new_name(), PASSWORD)

        assert error.value.remedy.startswith("The homeserver lets nobody register.")


def test_create_and_check_a_name_that_the_owner_forbids_is_refused() -> None:
    with uia_world() as world:
        for deed in (world.homeserver.check_name, lambda name: world.homeserver.create(name, PASSWORD)):
            with pytest.raises(NameRefused):
                deed("forbidden-name")


def test_create_whose_last_request_is_sent_twice_is_ours_all_the_same() -> None:
    with uia_world() as world:
        name = new_name()
        world._spoil(Repeat())

        created = world.homeserver.create(name, PASSWORD)

        assert created.mxid == f"@{name}:localhost"
        assert (world.sign_in(name, PASSWORD), world.devices(name)) == ("ok", 0)


def test_create_a_name_that_somebody_takes_meanwhile_is_taken() -> None:
    with uia_world(flows=[[TOKEN, DUMMY]]) as world:
        name = new_name()
        unspoilt = world.double.refuse_name
        answers = [None, None]

        def refuse(localpart: str) -> Any:
            if answers:
                return answers.pop()
            world.double.people.setdefault(localpart, world.double.add(localpart, "of somebody else 3"))
            return unspoilt(localpart)

        world.double.refuse_name = refuse  # type: ignore[method-assign]

        with pytest.raises(NameTaken):
            world.homeserver.create(name, PASSWORD)


def test_check_name_that_is_asked_too_often_looks_for_a_profile() -> None:
    with uia_world() as world:
        name = new_name()
        world.chaos.add(Status(429, BUSY), "GET", "/register/available")

        world.homeserver.check_name(name)
        world.make_account(name, PASSWORD)
        with pytest.raises(NameTaken):
            world.homeserver.check_name(name)


def test_exists_where_profiles_are_not_public_asks_whether_the_name_is_in_use() -> None:
    with uia_world() as world:
        name = new_name()
        world.chaos.add(Status(401, '{"errcode": "M_MISSING_TOKEN", "error": "No"}'), "GET", "/profile/")

        assert not world.homeserver.exists(name)
        world.make_account(name, PASSWORD)
        assert world.homeserver.exists(name)


def test_everything_else_is_not_possible_and_says_what_to_do() -> None:
    with uia_world() as world:
        with pytest.raises(NotPossible) as error:
            world.homeserver.hold("maria", PASSWORD)

        assert "homeserver.kind" in error.value.remedy


def test_probe_of_a_server_that_is_right_says_what_it_cannot_do_and_makes_nothing() -> None:
    with uia_world() as world:
        probe = world.homeserver.probe()

        assert (probe.version, probe.is_sound) == ("Conduit 0.10", True)
        assert _troubles(probe) == [(Level.WARNING, str(CAN_NO_MORE))]
        assert world.double.people == {}


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({"flows": [["m.login.terms", TOKEN]]}, "Who registers at the homeserver needs its terms accepted"),
        ({"allows_registration": False}, "The homeserver lets nobody register."),
    ],
)
def test_probe_of_a_server_where_nobody_can_register_is_a_fault(facts: dict[str, Any], remedy: str) -> None:
    with uia_world(**facts) as world:
        faults = [it for it in world.homeserver.probe().findings if it.level is Level.FAULT]

        assert [fault.sentence for fault in faults] == ["Foyer cannot register people at the homeserver."]
        assert faults[0].remedy.startswith(remedy)


@pytest.mark.parametrize("has_validity", [True, False])
def test_probe_with_a_wrong_token_is_a_fault_where_the_server_tells(*, has_validity: bool) -> None:
    with uia_world(has_validity=has_validity) as world:
        probe = registering(world.chaos.url, "a-wrong-one").probe()

        assert probe.is_sound is not has_validity
        assert "a-wrong-one" not in repr(probe)


def test_probe_of_a_server_that_is_open_to_all_warns() -> None:
    with uia_world(flows=[[DUMMY]]) as world:
        sentences = [sentence for _level, sentence in _troubles(world.homeserver.probe())]

    assert "People can register at the homeserver without an invitation, and without Foyer." in sentences


@pytest.mark.synapse
def test_probe_of_a_real_synapse_that_lets_clients_register_is_sound(native_synapse: RealSynapse) -> None:
    before = len(native_synapse.users())
    with ChaosProxy(native_synapse.url) as chaos:
        probe = UiaSynapseWorld(chaos, real=native_synapse).homeserver.probe()

    assert probe.is_sound
    assert len(native_synapse.users()) == before


@pytest.mark.synapse
def test_create_with_a_wrong_token_at_a_real_synapse_names_the_key(native_synapse: RealSynapse) -> None:
    with pytest.raises(Misconfigured) as error:
        registering(native_synapse.url, "not-the-one").create(new_name(), PASSWORD)

    assert error.value.remedy.startswith("The homeserver does not accept homeserver.registration_token")


@pytest.mark.synapse
def test_create_at_a_real_synapse_where_registration_is_off_says_so(synapse: RealSynapse) -> None:
    homeserver = RegistrationServer(Client(synapse.url, timeout=TIMEOUT), "localhost", OUR_TOKEN)

    for deed in (homeserver.check_name, lambda name: homeserver.create(name, PASSWORD)):
        with pytest.raises(Misconfigured) as error:
            deed(new_name())
        assert error.value.remedy.startswith("The homeserver lets nobody register.")


@pytest.mark.synapse
def test_create_whose_last_request_is_sent_twice_to_a_real_synapse_is_ours(native_synapse: RealSynapse) -> None:
    with ChaosProxy(native_synapse.url) as chaos:
        world = UiaSynapseWorld(chaos, real=native_synapse)
        name = new_name()
        world._spoil(Repeat())

        assert world.homeserver.create(name, PASSWORD).mxid == f"@{name}:localhost"
        assert world.sign_in(name, PASSWORD) == "ok"
        assert chaos.count(*REGISTER) == 3
