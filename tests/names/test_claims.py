from __future__ import annotations

from datetime import timedelta

import pytest

from foyer.kit.clock import now
from foyer.names import services as names

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_claim_of_a_free_name_holds_it() -> None:
    names.claim("maria", holder="account:1")

    assert names.is_held("maria")


def test_claim_of_a_held_name_is_refused_and_changes_nothing() -> None:
    names.claim("maria", holder="account:1")

    with pytest.raises(names.NameHeld):
        names.claim("maria", holder="account:2")

    names.claim("maria", holder="account:1")


def test_claim_that_has_run_out_gives_way() -> None:
    names.claim("maria", holder="application:1", until=now() - timedelta(seconds=1))

    assert not names.is_held("maria")
    names.claim("maria", holder="account:2")
    with pytest.raises(names.NameHeld):
        names.claim("maria", holder="application:1")


def test_release_by_another_holder_changes_nothing() -> None:
    names.claim("maria", holder="account:1")

    names.release("maria", holder="account:2")
    assert names.is_held("maria")

    names.release("maria", holder="account:1")
    assert not names.is_held("maria")
