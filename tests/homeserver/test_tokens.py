"""The server's own registration tokens: the same contract for every adapter that has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from foyer.homeserver.errors import NotPossible, Unreachable
from foyer.homeserver.port import Capability, TokenUses
from foyer.kit.clock import now
from foyer.kit.codes import new_code
from tests.homeserver.worlds import World, new_name

pytestmark = pytest.mark.xdist_group("tests/homeserver/test_tokens.py")  # they share a Synapse, where there is one


def test_put_token_a_new_one_lets_as_many_in_as_it_says(token_world: World) -> None:
    code = new_code()
    assert token_world.homeserver.token_uses(code) is None

    token_world.homeserver.put_token(code, uses=2, expires_at=now() + timedelta(days=1))

    assert token_world.homeserver.token_uses(code) == TokenUses(pending=0, completed=0)
    assert [token_world.register_natively(code, new_name()) for _ in range(3)] == [True, True, False]
    assert token_world.homeserver.token_uses(code) == TokenUses(pending=0, completed=2)


def test_put_token_again_changes_nothing(token_world: World) -> None:
    code, end = new_code(), now() + timedelta(days=1)
    token_world.homeserver.put_token(code, uses=2, expires_at=end)
    token_world.register_natively(code, new_name())

    token_world.homeserver.put_token(code, uses=2, expires_at=end)

    assert token_world.homeserver.token_uses(code) == TokenUses(pending=0, completed=1)


def test_put_token_with_another_limit_counts_those_made_before(token_world: World) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=5, expires_at=None)
    token_world.register_natively(code, new_name())

    token_world.homeserver.put_token(code, uses=2, expires_at=None)

    assert [token_world.register_natively(code, new_name()) for _ in range(2)] == [True, False]


def test_put_token_without_a_limit_lets_everybody_in(token_world: World) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=1, expires_at=None)

    token_world.homeserver.put_token(code, uses=None, expires_at=None)

    assert [token_world.register_natively(code, new_name()) for _ in range(3)] == [True, True, True]


@pytest.mark.parametrize("used_before", [0, 1])
def test_put_token_for_nobody_lets_nobody_in_and_can_be_opened_again(token_world: World, used_before: int) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=3, expires_at=None)
    for _ in range(used_before):
        token_world.register_natively(code, new_name())

    token_world.homeserver.put_token(code, uses=0, expires_at=None)
    assert not token_world.register_natively(code, new_name())
    token_world.homeserver.put_token(code, uses=0, expires_at=None)
    assert not token_world.register_natively(code, new_name())
    uses = token_world.homeserver.token_uses(code)
    assert (uses.completed if uses else 0) == used_before

    token_world.homeserver.put_token(code, uses=used_before + 1, expires_at=None)
    assert [token_world.register_natively(code, new_name()) for _ in range(2)] == [True, False]


def test_put_token_that_has_ended_lets_nobody_in(token_world: World) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=None, expires_at=None)

    token_world.homeserver.put_token(code, uses=None, expires_at=now() - timedelta(minutes=1))

    assert not token_world.register_natively(code, new_name())


def test_put_token_that_never_was_for_nobody_lets_nobody_in(token_world: World) -> None:
    code = new_code()

    token_world.homeserver.put_token(code, uses=0, expires_at=None)

    assert not token_world.register_natively(code, new_name())


def test_token_uses_one_who_began_is_pending(pending_world: World) -> None:
    code = new_code()
    pending_world.homeserver.put_token(code, uses=1, expires_at=None)

    assert pending_world.register_natively(code, new_name(), finish=False)

    assert pending_world.homeserver.token_uses(code) == TokenUses(pending=1, completed=0)
    assert not pending_world.register_natively(code, new_name())


def test_put_token_for_nobody_keeps_one_who_is_pending(pending_world: World) -> None:
    code = new_code()
    pending_world.homeserver.put_token(code, uses=2, expires_at=None)
    pending_world.register_natively(code, new_name(), finish=False)

    pending_world.homeserver.put_token(code, uses=0, expires_at=None)

    assert pending_world.homeserver.token_uses(code) == TokenUses(pending=1, completed=0)
    assert not pending_world.register_natively(code, new_name())


def test_delete_token_withdraws_it_and_again_changes_nothing(token_world: World) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=None, expires_at=None)

    token_world.homeserver.delete_token(code)
    token_world.homeserver.delete_token(code)

    assert not token_world.register_natively(code, new_name())


@pytest.mark.parametrize("code", ["~tilde.dot-dash_", "x" * 64, "7"])
def test_put_token_any_code_of_an_invitation_will_do(token_world: World, code: str) -> None:
    token_world.homeserver.put_token(code, uses=1, expires_at=None)

    assert token_world.register_natively(code, new_name())
    token_world.homeserver.delete_token(code)


def test_tokens_without_an_admin_token_are_not_possible(secret_world: World) -> None:
    assert Capability.TOKENS not in secret_world.homeserver.capabilities
    homeserver = secret_world.homeserver
    deeds: list[Callable[[], object]] = [
        lambda: homeserver.put_token("code", uses=1, expires_at=None),
        lambda: homeserver.delete_token("code"),
        lambda: homeserver.token_uses("code"),
    ]
    for deed in deeds:
        with pytest.raises(NotPossible) as refusal:
            deed()
        assert "homeserver.admin_token" in refusal.value.remedy


def test_tokens_while_the_homeserver_is_down_is_unreachable(token_world: World) -> None:
    token_world.be_down()

    with pytest.raises(Unreachable):
        token_world.homeserver.put_token("code", uses=1, expires_at=None)
    with pytest.raises(Unreachable):
        token_world.homeserver.token_uses("code")


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("used_before", [0, 1])
def test_put_token_for_nobody_by_a_wrong_clock_lets_nobody_in(token_world: World, hours: int, used_before: int) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=3, expires_at=None)
    for _ in range(used_before):
        token_world.register_natively(code, new_name())

    with time_machine.travel(now() + timedelta(hours=hours), tick=True):
        token_world.homeserver.put_token(code, uses=0, expires_at=None)

    assert not token_world.register_natively(code, new_name())


def test_put_token_that_ends_before_the_clock_of_the_homeserver_lets_nobody_in(token_world: World) -> None:
    code = new_code()
    token_world.homeserver.put_token(code, uses=3, expires_at=None)

    with time_machine.travel(now() - timedelta(hours=1), tick=True):
        token_world.homeserver.put_token(code, uses=3, expires_at=now() + timedelta(minutes=1))

    assert not token_world.register_natively(code, new_name())
