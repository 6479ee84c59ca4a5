"""`foyer doctor` for every kind of homeserver: what it allows, and which key allows more."""

from __future__ import annotations

from typing import Any

import pytest

from foyer.cli.doctor.homeserver import look
from foyer.homeserver.make import make, using
from tests.conftest import Configure
from tests.homeserver.dendrite_double import DendriteDouble
from tests.homeserver.tuwunel_double import TuwunelDouble
from tests.homeserver.uia_world import dendrite_world, tuwunel_world, uia_world

ALWAYS = "see whether a name is free, make accounts, try a password"
WISHES = {"after": {"rooms": ["#lobby:localhost"]}, "invitations": {"mirror": True}}


def told(configure: Configure, homeserver: dict[str, Any], **more: Any) -> list[str]:
    config = configure(server_name="localhost", homeserver=homeserver, **more)
    with using(make(config)):
        return [f"{it.sentence} {it.remedy}".strip() for it in look(config)]


def test_doctor_of_a_registration_token_says_what_never_works_there(configure: Configure) -> None:
    with uia_world() as world:
        keys = {"kind": "uia", "url": world.chaos.url, "registration_token": "conduit-token-of-ours"}
        said = told(configure, keys, **WISHES)

    assert f"Foyer can {ALWAYS}." in said
    assert any(sentence.startswith("At a homeserver of kind uia it cannot find out what became") for sentence in said)
    assert not any("admin_token" in sentence for sentence in said)
    assert "`after.rooms` names rooms, and Foyer may put nobody into them. Take the rooms out." in said


def test_doctor_of_dendrite_says_what_never_works_there(configure: Configure) -> None:
    with dendrite_world() as world:
        assert isinstance(world.double, DendriteDouble)
        keys = {
            "kind": "dendrite",
            "url": world.chaos.url,
            "registration_shared_secret": world.double.shared_secret,
        }
        said = told(configure, keys)

    assert f"Foyer can {ALWAYS}." in said
    assert any(sentence.startswith("At a homeserver of kind dendrite it cannot") for sentence in said)


@pytest.mark.parametrize("has_token", [True, False])
def test_doctor_of_tuwunel_names_the_key_that_allows_more(configure: Configure, *, has_token: bool) -> None:
    with tuwunel_world("both") as world:
        assert isinstance(world.double, TuwunelDouble)
        world.double.make_room("lobby", public=True)
        keys = {"kind": "tuwunel", "url": world.chaos.url, "registration_shared_secret": world.double.shared_secret}
        said = told(configure, {**keys, **({"admin_token": world.double.admin_token} if has_token else {})}, **WISHES)

    more = "set passwords, attach emails, put people into rooms, write to people, keep registration tokens there"
    assert (f"With homeserver.admin_token it could also {more}." in said) is not has_token
    assert (f"Foyer can {ALWAYS}, {more}." in said) is has_token
    never = "find out what became of an account, keep an account closed until someone says yes, record who accepted"
    assert any(sentence.startswith(f"At a homeserver of kind tuwunel it cannot {never}") for sentence in said)
    remedy = "Give homeserver.admin_token, or take the rooms out."
    assert any(sentence.endswith(remedy) for sentence in said) is not has_token


def test_doctor_of_synapse_names_every_key_that_allows_more(configure: Configure) -> None:
    said = told(configure, {"url": "http://127.0.0.1:9", "registration_shared_secret": "s"})

    assert any(sentence.startswith("With homeserver.admin_token it could also find out") for sentence in said)
    assert "With homeserver.consent it could also record who accepted the terms." in said
    assert not any("At a homeserver of kind" in sentence for sentence in said)
