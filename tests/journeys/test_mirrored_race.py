"""Many at once at one mirrored invitation, here and at a real Synapse: never more accounts than its limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from dev.synapse import Synapse
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.invites import mirroring, services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.refusal import Refusal
from tests.conftest import Configure
from tests.support.native import NATIVE, register_natively
from tests.support.need import need

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database, pytest.mark.synapse]

PASSWORD = "correct horse 1"
LIMIT = 5
MANY = 20


@pytest.fixture(scope="module")
def native_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse where clients register by themselves, with a token."""
    need("synapse")
    with Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=NATIVE) as running:
        yield running


@pytest.fixture(autouse=True)
def at_synapse(configure: Configure, native_synapse: Synapse) -> None:
    configure(
        server_name=native_synapse.server_name,
        homeserver={
            "url": native_synapse.url,
            "registration_shared_secret": native_synapse.shared_secret,
            "admin_token": native_synapse.admin_token,
        },
    )


@pytest.mark.parametrize("round_", ["first", "second", "third"])
def test_twenty_here_and_twenty_there_make_exactly_as_many_accounts_as_the_limit(
    native_synapse: Synapse, round_: str
) -> None:
    """The twenty there come one after the other: Synapse itself lets too many in who come in one moment."""
    invite = _mirrored(LIMIT)

    def come_natively() -> None:
        for number in range(MANY):
            register_natively(native_synapse, invite.code, f"{round_}-native-{number}", PASSWORD)

    def join(number: int) -> Callable[[], None]:
        def come() -> None:
            try:
                open_with_invite(JoinAttempt(code=invite.code, username=f"{round_}-here-{number}", password=PASSWORD))
            except Refusal:
                return

        return come

    _all_at_once([come_natively, *(join(number) for number in range(MANY))])
    assert len(_people(native_synapse, round_)) <= LIMIT

    # Whoever gave way to somebody who did not come after all may leave a place free. It can be taken, and no other.
    Worker().run_until_idle("homeserver")
    for number in range(LIMIT):
        join(MANY + number)()
        register_natively(native_synapse, invite.code, f"{round_}-late-{number}", PASSWORD)
        Worker().run_until_idle("homeserver")

    people = _people(native_synapse, round_)
    assert len(people) == LIMIT
    mirroring.sync(invite.code)
    fresh = Invite.objects.get(id=invite.pk)
    assert (fresh.held, fresh.used) == (0, LIMIT)
    assert mirroring.used_there(fresh) == sum("-here-" not in name for name in people)


def test_the_only_use_is_used_once(native_synapse: Synapse) -> None:
    for number in range(5):
        invite = _mirrored(1)

        def come_natively(code: str = invite.code, name: str = f"only-native-{number}") -> None:
            register_natively(native_synapse, code, name, PASSWORD)

        def join(code: str = invite.code, name: str = f"only-here-{number}") -> None:
            try:
                open_with_invite(JoinAttempt(code=code, username=name, password=PASSWORD))
            except Refusal:
                return

        _all_at_once([come_natively, join])

        assert len(_people(native_synapse, "only")) == number + 1


def _mirrored(limit: int) -> Invite:
    invite = services.create(NewInvite(uses_limit=limit, mirror=True), actor=Actor.command_line())
    Worker().run_until_idle("homeserver")
    return invite


def _people(synapse: Synapse, start: str) -> list[str]:
    return [user["name"] for user in synapse.users() if user["name"].startswith(f"@{start}-")]


def _all_at_once(deeds: list[Callable[[], None]]) -> None:
    ready = threading.Barrier(len(deeds))

    def run(deed: Callable[[], None]) -> None:
        ready.wait()
        try:
            deed()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
