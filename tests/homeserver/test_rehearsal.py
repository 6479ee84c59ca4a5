"""A rehearsal asks the homeserver and never tells it anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dev.proxy import ChaosProxy
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.errors import HomeserverError, NameTaken, PasswordRefused
from foyer.homeserver.memory import MemoryHomeserver
from foyer.homeserver.port import Level, PasswordPolicy
from foyer.homeserver.rehearsal import Rehearsal
from foyer.homeserver.rehearsal_client import NotSent, ReadingClient
from foyer.homeserver.synapse import Synapse
from tests.homeserver.worlds import PASSWORD, TIMEOUT, new_name

OTHER = "another password 2"


@pytest.fixture
def inside(synapse: RealSynapse, chaos: ChaosProxy) -> Synapse:
    """The adapter that a rehearsal holds."""
    client = ReadingClient(chaos.url, timeout=TIMEOUT)
    return Synapse(client, "localhost", synapse.shared_secret, synapse.admin_token, "1", "a form secret")


def _every_deed(homeserver: Synapse | Rehearsal, name: str) -> list[Callable[[], object]]:
    return [
        lambda: homeserver.create(name, PASSWORD),
        lambda: homeserver.hold(f"{name}-held", PASSWORD),
        lambda: homeserver.rehold(name, PASSWORD),
        lambda: homeserver.reopen(name, PASSWORD),
        lambda: homeserver.open(name),
        lambda: homeserver.shelve(name),
        lambda: homeserver.set_password(name, PASSWORD),
        lambda: homeserver.password_is_right(name, PASSWORD),
        lambda: homeserver.attach_email(name, f"{name}@example.org"),
        lambda: homeserver.join(name, "#lobby:localhost"),
        lambda: homeserver.say(name, "Welcome!"),
        lambda: homeserver.say_in_room("#lobby:localhost", "Welcome!"),
        lambda: homeserver.put_token("DoubleWizardSki", uses=1, expires_at=None),
        lambda: homeserver.delete_token("DoubleWizardSki"),
        lambda: homeserver.token_uses("DoubleWizardSki"),
        lambda: homeserver.record_consent(name),
        lambda: homeserver.look_up(name),
        lambda: homeserver.exists(name),
        homeserver.password_policy,
    ]


@pytest.mark.synapse
def test_every_deed_of_a_rehearsal_succeeds_and_only_reads(
    synapse: RealSynapse, chaos: ChaosProxy, inside: Synapse
) -> None:
    before = len(synapse.users())
    homeserver = Rehearsal(inside, "localhost")

    for deed in _every_deed(homeserver, new_name()):
        deed()
    probe = homeserver.probe(["#lobby:localhost"])

    assert {seen.method for seen in chaos.seen} == {"GET"}
    assert len(synapse.users()) == before
    unsure = [it.sentence for it in probe.findings if it.level is Level.WARNING]
    assert "Whether the registration shared secret is right could not be found out." in unsure


@pytest.mark.synapse
def test_every_deed_of_the_adapter_inside_only_reads_whatever_it_tries(
    synapse: RealSynapse, chaos: ChaosProxy, inside: Synapse
) -> None:
    name = new_name()
    assert synapse.register(name, OTHER)[0] == 200
    refused = 0

    for deed in _every_deed(inside, name):
        try:
            deed()
        except HomeserverError as error:
            refused += isinstance(error, NotSent) or isinstance(error.__cause__, NotSent)

    assert refused >= 8
    assert {seen.method for seen in chaos.seen} == {"GET"}
    assert synapse.login(name, OTHER)[0] == 200


def test_rehearsal_remembers_what_was_made() -> None:
    homeserver, name = Rehearsal(MemoryHomeserver(), "localhost"), new_name()

    assert homeserver.create(name, PASSWORD).mxid == f"@{name}:localhost"

    assert homeserver.exists(name)
    assert homeserver.password_is_right(name, PASSWORD)
    assert not homeserver.password_is_right(name, OTHER)
    for deed in (homeserver.check_name, lambda taken: homeserver.create(taken, PASSWORD)):
        with pytest.raises(NameTaken):
            deed(name)
    assert MemoryHomeserver().accounts == {}


def test_rehearsal_of_a_held_account_opens_and_is_shelved() -> None:
    homeserver, name = Rehearsal(MemoryHomeserver(), "localhost"), new_name()
    homeserver.hold(name, PASSWORD)
    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert sighting.locked

    homeserver.open(name)
    opened = homeserver.look_up(name)
    homeserver.shelve(name)

    assert opened is not None
    assert not opened.locked
    assert not homeserver.password_is_right(name, PASSWORD)


def test_rehearsal_refuses_what_the_homeserver_would_refuse() -> None:
    inside = MemoryHomeserver(policy=PasswordPolicy(min_length=20))
    homeserver, name = Rehearsal(inside, "localhost"), new_name()

    with pytest.raises(PasswordRefused):
        homeserver.create(name, PASSWORD)
    inside.policy = PasswordPolicy()
    inside.create(name, OTHER)
    with pytest.raises(NameTaken):
        homeserver.create(name, PASSWORD)

    assert inside.calls.count("create") == 1
