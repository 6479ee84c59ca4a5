from __future__ import annotations

from datetime import timedelta

import pytest

from foyer.kit.clock import now
from foyer.names import services as names

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_claim_of_a_free_name_holds_it() -> None:
    names.claim("maria", holder="account:1")

    assert names.holder_of("maria") is not None


def test_claim_of_a_held_name_is_refused_and_changes_nothing() -> None:
    names.claim("maria", holder="account:1")

    with pytest.raises(names.NameHeld):
        names.claim("maria", holder="account:2")

    names.claim("maria", holder="account:1")


def test_claim_that_has_run_out_gives_way() -> None:
    names.claim("maria", holder="application:1", until=now() - timedelta(seconds=1))

    assert names.holder_of("maria") is None
    names.claim("maria", holder="account:2")
    with pytest.raises(names.NameHeld):
        names.claim("maria", holder="application:1")


def test_release_by_another_holder_changes_nothing() -> None:
    names.claim("maria", holder="account:1")

    names.release("maria", holder="account:2")
    assert names.holder_of("maria") is not None

    names.release("maria", holder="account:1")
    assert names.holder_of("maria") is None


def test_claim_on_behalf_of_who_has_the_name_leaves_it_with_them() -> None:
    assert names.claim("maria", holder="account:1", unless="invite:7") == "account:1"
    names.claim("erika", holder="invite:7")

    assert names.claim("erika", holder="account:1", unless="invite:7") == "invite:7"
    assert names.holder_of("erika") == "invite:7"


def test_claim_on_behalf_of_somebody_whose_time_is_over_takes_the_name() -> None:
    names.claim("maria", holder="invite:7", until=now() - timedelta(seconds=1))

    assert names.claim("maria", holder="account:1", unless="invite:7") == "account:1"
    assert names.holder_of("maria") == "account:1"


def test_claim_on_behalf_of_another_than_who_has_the_name_is_refused() -> None:
    names.claim("maria", holder="invite:8")

    with pytest.raises(names.NameHeld):
        names.claim("maria", holder="account:1", unless="invite:7")
