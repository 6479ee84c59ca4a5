"""`foyer invite …` of invitations that are registration tokens of the homeserver as well."""

from __future__ import annotations

import pytest

from foyer.cli.doctor import homeserver as doctor
from foyer.homeserver.memory import Fault, MemoryHomeserver, MemoryToken
from foyer.invites.models import Invite
from tests.cli.conftest import Foyer
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_create_mirrored_tells_the_homeserver_at_once(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    said = foyer("invite", "create", "--mirror", "--uses", "3", "--json")

    assert said.json["mirror"] == "there"
    assert homeserver.tokens[said.json["code"]].uses == 3
    assert "is a registration token there as well" in foyer("invite", "show", said.json["code"]).out


@pytest.mark.parametrize(("house", "option", "wanted"), [(True, None, True), (True, "--no-mirror", False)])
def test_create_takes_the_default_of_the_house(
    foyer: Foyer, homeserver: MemoryHomeserver, configure: Configure, house: bool, option: str | None, wanted: bool
) -> None:
    configure(invitations={"mirror": house})

    assert foyer("invite", "create", *([option] if option else [])).status == 0

    assert bool(homeserver.tokens) == wanted


def test_create_pinned_in_a_house_that_mirrors_is_made_without(
    foyer: Foyer, homeserver: MemoryHomeserver, configure: Configure
) -> None:
    configure(invitations={"mirror": True})

    said = foyer("invite", "create", "--name", "maria", "--json")

    assert (said.status, said.json["mirror"], homeserver.tokens) == (0, None, {})


def test_create_mirrored_and_pinned_is_refused(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    said = foyer("invite", "create", "--mirror", "--email", "maria@example.org")

    assert said.status != 0
    assert "for one user name or email cannot be a registration token" in said.err
    assert not Invite.objects.exists()


def test_create_mirrored_where_it_cannot_be_is_refused(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False

    said = foyer("invite", "create", "--mirror")

    assert said.status != 0
    assert "`foyer doctor` says what it needs" in said.err


def test_create_a_code_that_is_taken_there_is_made_here_only_and_says_so(
    foyer: Foyer, homeserver: MemoryHomeserver
) -> None:
    homeserver.tokens["Theirs"] = MemoryToken(uses=1, expires_at=None)

    said = foyer("invite", "create", "--mirror", "--code", "Theirs")

    assert said.out == "http://localhost:5000/i/Theirs\n"
    assert said.err == (
        "The homeserver has a registration token Theirs already, so this invitation is good here only. "
        "Make one with another code to have both."
    )
    assert "another one has this code" in foyer("invite", "show", "Theirs").out


def test_create_while_the_homeserver_is_down_is_told_later(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    homeserver.fail(Fault.DOWN, "*")

    said = foyer("invite", "create", "--mirror", "--json")

    assert (said.status, said.json["mirror"]) == (0, "waiting")
    assert "is told of" in said.err


def test_edit_mirror_and_no_mirror(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    foyer("invite", "create", "--code", "Choir")

    assert foyer("invite", "edit", "Choir", "--mirror", "--json").json["mirror"] == "there"
    assert "Choir" in homeserver.tokens
    assert foyer("invite", "edit", "Choir", "--no-mirror", "--json").json["mirror"] == "over"
    assert homeserver.tokens == {}


def test_edit_mirror_of_a_pinned_one_is_refused(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    foyer("invite", "create", "--code", "Choir", "--name", "maria")

    assert foyer("invite", "edit", "Choir", "--mirror").status != 0
    assert foyer("invite", "edit", "Choir", "--mirror", "--name", "").status == 0


def test_show_counts_those_who_registered_there(foyer: Foyer, homeserver: MemoryHomeserver) -> None:
    foyer("invite", "create", "--code", "Choir", "--mirror", "--uses", "3")
    homeserver.register_natively("Choir", "maria", "a password")
    foyer("invite", "edit", "Choir", "--label", "the choir")  # the homeserver is asked at each change

    said = foyer("invite", "show", "Choir")

    assert "1 of 3" in said.out
    assert "and 1 who registered at the homeserver itself: it does not say who" in said.out
    assert foyer("invite", "show", "Choir", "--json").json["used_at_homeserver"] == 1
    listed = foyer("invite", "list", "--json").json
    assert [(one["mirror"], one["used_at_homeserver"]) for one in listed] == [("there", 1)]


@pytest.mark.parametrize("can", [True, False])
def test_doctor_says_when_mirroring_is_set_and_not_possible(
    homeserver: MemoryHomeserver, configure: Configure, can: bool
) -> None:
    homeserver.has_token = can
    config = configure(invitations={"mirror": True})

    warned = [finding.sentence for finding in doctor.look(config) if "invitations.mirror" in finding.sentence]

    assert bool(warned) == (not can)
