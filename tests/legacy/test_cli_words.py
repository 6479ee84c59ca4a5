"""`generate` and `status` in matrix-registration's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from foyer.invites.models import Invite
from foyer.kit.clock import now
from foyer.legacy.cli_words import generate, status
from tests.conftest import Configure
from tests.legacy.conftest import MakeInvite

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_generate_returns_the_name_alone_of_a_token_without_limits(configure: Configure) -> None:
    configure(invitations={"uses": 1, "expires": "1d"})

    name = generate()

    invite = Invite.objects.get(code=name)
    assert (invite.uses_limit, invite.expires_at, invite.created_by) == (None, None, "command-line")


@pytest.mark.parametrize(
    ("maximum", "one_time", "limit"), [(0, False, None), (5, False, 5), (0, True, 1), (5, True, 1)]
)
def test_generate_with_a_maximum_makes_a_token_for_as_many(maximum: int, one_time: bool, limit: int | None) -> None:
    assert Invite.objects.get(code=generate(maximum, None, one_time)).uses_limit == limit


@pytest.mark.parametrize("expires", ["2030-01-31", datetime(2030, 1, 31)])  # noqa: DTZ001 - as typer reads a day
def test_generate_with_a_day_expires_at_its_begin_in_utc(expires: str | datetime) -> None:
    assert Invite.objects.get(code=generate(0, expires)).expires_at == datetime(2030, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(("maximum", "expires"), [(-1, None), (2**31, None), (0, "31.01.2030"), (0, "soon"), (0, "")])
def test_generate_with_nonsense_is_an_error_with_a_sentence(maximum: int, expires: str | None) -> None:
    with pytest.raises(ValueError, match=r"^Write .*\.$"):
        generate(maximum, expires)
    assert not Invite.objects.exists()


def test_status_of_a_valid_token_prints_it_in_the_old_order(make_invite: MakeInvite) -> None:
    make_invite(uses_limit=None, expires_at=datetime(2030, 1, 1, tzinfo=UTC))

    text, is_well = status("DoubleWizardSki")

    assert is_well
    assert text == (
        "This token is valid\n"
        "{\n"
        '  "name": "DoubleWizardSki",\n'
        '  "used": 0,\n'
        '  "expiration_date": "2030-01-01 00:00:00",\n'
        '  "max_usage": 0,\n'
        '  "ips": [],\n'
        '  "disabled": false,\n'
        '  "active": true\n'
        "}"
    )


def test_status_of_a_token_that_is_over_says_so(make_invite: MakeInvite) -> None:
    make_invite(used=1)

    text, is_well = status("DoubleWizardSki")

    first, _, rest = text.partition("\n")
    assert (first, is_well) == ("This token is not valid", True)
    assert json.loads(rest)["active"] is False


def test_status_of_an_unknown_token_is_a_failure(db: None) -> None:
    assert status("Unknown") == ("No token with that name", False)


def test_status_list_joins_the_names(make_invite: MakeInvite) -> None:
    assert status(list_all=True) == ("", True)
    for code in ("First", "Second", "Third"):
        make_invite(code=code)

    assert status(list_all=True) == ("First, Second, Third", True)


def test_status_disable_disables_once(make_invite: MakeInvite) -> None:
    make_invite()

    assert status(disable="DoubleWizardSki") == ("Token disabled", True)
    assert status(disable="DoubleWizardSki") == ("Token couldn't be disabled", False)
    assert status(disable="Unknown") == ("Token couldn't be disabled", False)


def test_status_prefers_disabling_to_showing_to_listing(make_invite: MakeInvite) -> None:
    make_invite(code="First")
    make_invite(code="Second", revoked_at=now())

    assert status("Second", True)[0].startswith("This token is not valid")
    assert status("Second", True, "First") == ("Token disabled", True)
    assert status() == ("", True)
