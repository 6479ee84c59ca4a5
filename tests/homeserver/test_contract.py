"""What every adapter promises: names, accounts, races, and failures whose outcome must not be guessed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from foyer.homeserver.errors import (
    AccountMissing,
    Busy,
    EmailTaken,
    HomeserverError,
    NameRefused,
    NameTaken,
    NotPossible,
    PasswordRefused,
    RoomRefused,
    Unreachable,
)
from foyer.homeserver.port import Capability
from foyer.kit.clock import now
from tests.homeserver.worlds import PASSWORD, SOON_SECONDS, World, new_name

OTHER = "another password 2"


def test_create_a_free_name_makes_an_account_without_a_device(world: World) -> None:
    name = new_name()

    created = world.homeserver.create(name, PASSWORD)

    assert (created.mxid, created.access_token) == (f"@{name}:localhost", None)
    assert world.devices(name) == 0
    assert world.sign_in(name, PASSWORD) == "ok"


def test_create_with_sign_in_gives_a_token_of_one_device(world: World) -> None:
    name = new_name()

    created = world.homeserver.create(name, PASSWORD, sign_in=True)

    assert created.access_token
    assert "access_token" not in repr(created)
    assert world.devices(name) == 1


def test_create_a_slash_in_the_name_makes_that_account(world: World) -> None:
    name = new_name("a/b=c+d")

    created = world.homeserver.create(name, PASSWORD)

    assert created.mxid == f"@{name}:localhost"
    assert world.homeserver.exists(name)
    assert world.homeserver.password_is_right(name, PASSWORD)


def test_create_a_taken_name_is_refused_and_changes_nothing(world: World) -> None:
    name = new_name()
    world.make_account(name, OTHER)

    with pytest.raises(NameTaken) as refusal:
        world.homeserver.create(name, PASSWORD)

    assert (refusal.value.errcode, refusal.value.http_status) == ("M_USER_IN_USE", 400)
    assert "taken" in refusal.value.error
    assert world.sign_in(name, OTHER) == "ok"
    assert world.sign_in(name, PASSWORD) == "wrong"


def test_create_a_deactivated_name_is_refused(world: World) -> None:
    name = new_name()
    world.make_account(name, OTHER)
    world.deactivate(name)

    with pytest.raises(NameTaken):
        world.homeserver.create(name, PASSWORD)


@pytest.mark.parametrize("name", ["_underscore", "12345", "Capital", "two words", "a:b", "", "ünï", "x" * 250])
def test_create_a_name_that_is_not_allowed_is_refused(world: World, name: str) -> None:
    with pytest.raises(NameRefused) as refusal:
        world.homeserver.create(name, PASSWORD)

    assert refusal.value.errcode == "M_INVALID_USERNAME"


def test_check_name_tells_free_from_taken_from_refused(world: World) -> None:
    name = new_name()
    world.homeserver.check_name(name)
    world.make_account(name, OTHER)

    with pytest.raises(NameTaken):
        world.homeserver.check_name(name)
    for impossible in ("_underscore", "12345", "Capital", "a b"):
        with pytest.raises(NameRefused):
            world.homeserver.check_name(impossible)


def test_exists_tells_whether_there_is_an_account(world: World) -> None:
    name = new_name()
    assert not world.homeserver.exists(name)

    world.make_account(name, OTHER)

    assert world.homeserver.exists(name)


@pytest.mark.parametrize("password", ["x" * 513, "nul\0nul", "half \ud83d of a pair"])
def test_create_a_password_that_cannot_be_typed_is_refused(world: World, password: str) -> None:
    name = new_name()

    with pytest.raises(PasswordRefused) as refusal:
        world.homeserver.create(name, password)

    assert refusal.value.reasons == ("password-unusable",)
    assert not world.homeserver.exists(name)


def test_create_a_long_and_foreign_password_works(world: World) -> None:
    name, password = new_name(), "Prüfung🔑" * 30

    world.homeserver.create(name, password)

    assert world.sign_in(name, password) == "ok"


def test_create_of_twenty_at_once_for_one_name_has_one_winner(world: World) -> None:
    name = new_name()

    outcomes = _at_once(20, lambda number: world.homeserver.create(name, f"password of {number} x"))

    winners = [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert len(winners) == 1
    assert {type(outcome) for outcome in outcomes if outcome is not None} == {NameTaken}
    assert world.sign_in(name, f"password of {winners[0]} x") == "ok"


def test_password_is_right_leaves_no_device(world: World) -> None:
    name = new_name()
    world.make_account(name, PASSWORD)

    assert world.homeserver.password_is_right(name, PASSWORD)
    assert not world.homeserver.password_is_right(name, OTHER)
    assert not world.homeserver.password_is_right(new_name("nobody"), PASSWORD)
    assert world.devices(name) == 0


def test_create_whose_request_is_lost_may_have_been_done(world: World) -> None:
    name = new_name()
    world.lose_request()

    with pytest.raises(Unreachable) as error:
        world.homeserver.create(name, PASSWORD)

    assert error.value.maybe_done
    assert not world.homeserver.exists(name)


def test_create_whose_answer_is_lost_may_have_been_done_and_was(world: World) -> None:
    name = new_name()
    world.lose_answer()

    with pytest.raises(Unreachable) as error:
        world.homeserver.create(name, PASSWORD)

    assert error.value.maybe_done
    assert world.homeserver.exists(name)
    # Where a device comes unasked and its answer is lost, nobody can sign it out at once.
    assert world.devices(name) == getattr(world, "devices_left", 0)


def test_create_that_times_out_may_have_been_done(world: World) -> None:
    world.hang_before()

    with world.homeserver.within(SOON_SECONDS), pytest.raises(Unreachable) as error:
        world.homeserver.create(new_name(), PASSWORD)

    assert error.value.maybe_done


def test_create_when_busy_says_when_to_come_back_and_makes_nothing(world: World) -> None:
    name = new_name()
    world.be_busy()

    with pytest.raises(Busy) as error:
        world.homeserver.create(name, PASSWORD)

    assert error.value.retry_after == 7.0
    assert not world.homeserver.exists(name)
    world.homeserver.create(name, PASSWORD)
    assert world.homeserver.exists(name)


def test_create_answered_with_a_server_error_may_have_been_done(world: World) -> None:
    world.be_broken()

    with pytest.raises(Unreachable) as error:
        world.homeserver.create(new_name(), PASSWORD)

    assert error.value.maybe_done


def test_everything_when_the_server_is_down_was_surely_not_done(world: World) -> None:
    name = new_name()
    world.homeserver.password_policy()
    world.be_down()
    deeds: list[Callable[[], object]] = [
        lambda: world.homeserver.create(name, PASSWORD),
        lambda: world.homeserver.check_name(name),
        lambda: world.homeserver.exists(name),
        lambda: world.homeserver.password_is_right(name, PASSWORD),
    ]
    if Capability.HOLD in world.homeserver.capabilities:
        deeds += [
            lambda: world.homeserver.hold(name, PASSWORD),
            lambda: world.homeserver.look_up(name),
        ]
    if Capability.ROOMS in world.homeserver.capabilities:
        deeds += [
            lambda: world.homeserver.join(name, "#lobby:localhost"),
            lambda: world.homeserver.say(name, "Welcome!"),
        ]

    for deed in deeds:
        with pytest.raises(Unreachable) as error:
            deed()
        assert not error.value.maybe_done

    world.come_back()
    world.homeserver.create(name, PASSWORD)
    assert world.homeserver.exists(name)


def test_everything_of_an_admin_with_the_secret_alone_is_not_possible(secret_world: World) -> None:
    homeserver = secret_world.homeserver
    deeds: list[Callable[[], object]] = [
        lambda: homeserver.look_up("maria"),
        lambda: homeserver.hold("maria", PASSWORD),
        lambda: homeserver.open("maria"),
        lambda: homeserver.shelve("maria"),
        lambda: homeserver.reopen("maria", PASSWORD),
        lambda: homeserver.set_password("maria", PASSWORD),
        lambda: homeserver.attach_email("maria", "maria@example.org"),
        lambda: homeserver.join("maria", "#lobby:localhost"),
        lambda: homeserver.say("maria", "Welcome!"),
    ]
    for deed in deeds:
        with pytest.raises(NotPossible) as error:
            deed()
        assert "homeserver.admin_token" in error.value.remedy

    assert homeserver.capabilities == {Capability.NAMES, Capability.CREATE, Capability.SIGN_IN, Capability.PROBE}


def test_everything_that_is_lacking_is_not_possible_and_says_what_to_do(world: World) -> None:
    homeserver = world.homeserver
    deeds: dict[Capability, list[Callable[[], object]]] = {
        Capability.LOOK_UP: [lambda: homeserver.look_up("maria")],
        Capability.HOLD: [
            lambda: homeserver.hold("maria", PASSWORD),
            lambda: homeserver.rehold("maria", PASSWORD),
            lambda: homeserver.open("maria"),
            lambda: homeserver.shelve("maria"),
            lambda: homeserver.reopen("maria", PASSWORD),
        ],
        Capability.SET_PASSWORD: [lambda: homeserver.set_password("maria", PASSWORD)],
        Capability.EMAIL: [lambda: homeserver.attach_email("maria", "maria@example.org")],
        Capability.ROOMS: [lambda: homeserver.join("maria", "#lobby:localhost")],
        Capability.SAY: [
            lambda: homeserver.say("maria", "Welcome!"),
            lambda: homeserver.say_in_room("#lobby:localhost", "Welcome!"),
        ],
        Capability.TOKENS: [
            lambda: homeserver.put_token("code", uses=1, expires_at=None),
            lambda: homeserver.delete_token("code"),
            lambda: homeserver.token_uses("code"),
        ],
        Capability.CONSENT: [lambda: homeserver.record_consent("maria")],
    }

    lacking = [deed for capability in deeds.keys() - homeserver.capabilities for deed in deeds[capability]]

    assert lacking
    for deed in lacking:
        with pytest.raises(NotPossible) as error:
            deed()
        assert error.value.remedy
        assert "homeserver" in error.value.remedy or "Synapse" in error.value.remedy


def test_look_up_shows_an_account_as_it_is(admin_world: World) -> None:
    homeserver, name = admin_world.homeserver, new_name()
    assert homeserver.look_up(name) is None
    begun = now().replace(microsecond=0)

    homeserver.create(name, PASSWORD, sign_in=True)

    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert begun <= sighting.created_at <= now()
    assert (sighting.seen, sighting.locked, sighting.deactivated) == (False, False, False)


def test_look_up_after_a_sign_in_says_seen(admin_world: World) -> None:
    name = new_name()
    admin_world.make_account(name, PASSWORD)

    admin_world.use(name, PASSWORD)

    assert _soon(lambda: _is_seen(admin_world, name))


def test_create_whose_second_step_fails_leaves_a_shell_that_reopen_finishes(two_step_world: World) -> None:
    homeserver, name = two_step_world.homeserver, new_name()
    two_step_world.break_second_step()

    with pytest.raises(Unreachable) as error:
        homeserver.create(name, PASSWORD)

    assert error.value.maybe_done
    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert not sighting.seen
    assert two_step_world.sign_in(name, PASSWORD) == "wrong"

    homeserver.reopen(name, PASSWORD)

    assert two_step_world.sign_in(name, PASSWORD) == "ok"


def test_hold_makes_a_locked_account_whose_password_opens_it_later(admin_world: World) -> None:
    homeserver, name = admin_world.homeserver, new_name()

    homeserver.hold(name, PASSWORD)

    assert admin_world.sign_in(name, PASSWORD) == "locked"
    assert homeserver.password_is_right(name, PASSWORD) == admin_world.tells_password_of_locked
    assert not homeserver.password_is_right(name, OTHER)
    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert sighting.locked

    homeserver.open(name)
    homeserver.open(name)

    assert admin_world.sign_in(name, PASSWORD) == "ok"


def test_hold_a_taken_name_is_refused_and_changes_nothing(admin_world: World) -> None:
    name = new_name()
    admin_world.make_account(name, OTHER)

    with pytest.raises(NameTaken):
        admin_world.homeserver.hold(name, PASSWORD)

    assert admin_world.sign_in(name, OTHER) == "ok"


def test_hold_that_fails_half_way_leaves_a_shell_that_nobody_can_use(admin_world: World) -> None:
    name = new_name()
    admin_world.break_second_step()

    with pytest.raises(Unreachable) as error:
        admin_world.homeserver.hold(name, PASSWORD)

    assert error.value.maybe_done
    assert admin_world.sign_in(name, PASSWORD) == "wrong"


def test_shelve_takes_password_email_and_devices_and_reopen_gives_it_to_the_next(admin_world: World) -> None:
    homeserver, name, email = admin_world.homeserver, new_name(), f"{new_name()}@example.org"
    homeserver.create(name, PASSWORD, sign_in=True)
    homeserver.attach_email(name, email)

    homeserver.shelve(name)
    homeserver.shelve(name)

    assert admin_world.sign_in(name, PASSWORD) == "wrong"
    assert admin_world.emails(name) == []
    assert admin_world.devices(name) == 0
    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert sighting.locked

    homeserver.reopen(name, OTHER)
    homeserver.attach_email(name, email)

    assert admin_world.sign_in(name, OTHER) == "ok"
    assert admin_world.sign_in(name, PASSWORD) == "wrong"


@pytest.mark.parametrize("erase", [True, False], ids=["erased", "kept"])
def test_reopen_revives_a_deactivated_account(admin_world: World, *, erase: bool) -> None:
    homeserver, name = admin_world.homeserver, new_name()
    homeserver.create(name, PASSWORD)
    admin_world.deactivate(name, erase=erase)
    homeserver.shelve(name)

    homeserver.reopen(name, OTHER)

    sighting = homeserver.look_up(name)
    assert sighting is not None
    assert (sighting.locked, sighting.deactivated) == (False, False)
    assert admin_world.sign_in(name, OTHER) == "ok"


@pytest.mark.parametrize("was", ["half made", "shelved", "deactivated"])
def test_rehold_gives_a_shell_the_next_password_and_keeps_it_locked(admin_world: World, was: str) -> None:
    homeserver, name = admin_world.homeserver, new_name()
    homeserver.create(name, OTHER)
    if was == "deactivated":
        admin_world.deactivate(name)
    elif was == "shelved":
        homeserver.shelve(name)

    homeserver.rehold(name, PASSWORD)
    homeserver.rehold(name, PASSWORD)

    assert admin_world.sign_in(name, PASSWORD) == "locked"
    assert admin_world.sign_in(name, OTHER) == "wrong"
    homeserver.open(name)
    assert admin_world.sign_in(name, PASSWORD) == "ok"


def test_changes_to_an_account_that_is_not_there_make_none(admin_world: World) -> None:
    homeserver, name = admin_world.homeserver, new_name("nobody")
    admin_world.make_room(name, public=True)
    deeds: list[Callable[[], object]] = [
        lambda: homeserver.open(name),
        lambda: homeserver.shelve(name),
        lambda: homeserver.reopen(name, PASSWORD),
        lambda: homeserver.rehold(name, PASSWORD),
        lambda: homeserver.set_password(name, PASSWORD),
        lambda: homeserver.attach_email(name, "nobody@example.org"),
        lambda: homeserver.join(name, f"#{name}:localhost"),
        lambda: homeserver.say(name, "Welcome!"),
    ]
    for deed in deeds:
        with pytest.raises(AccountMissing):
            deed()

    assert not homeserver.exists(name)


def test_set_password_replaces_it_and_signs_devices_out(tending_world: World) -> None:
    homeserver, name = tending_world.homeserver, new_name()
    homeserver.create(name, PASSWORD, sign_in=True)

    homeserver.set_password(name, OTHER)

    assert tending_world.devices(name) == 0
    assert tending_world.sign_in(name, OTHER) == "ok"


def test_attach_email_adds_it_beside_others_once(tending_world: World) -> None:
    homeserver, name = tending_world.homeserver, new_name()
    homeserver.create(name, PASSWORD)
    for email in (f"{name}@Example.org", f"second.{name}@example.org", f"{name.upper()}@EXAMPLE.ORG"):
        homeserver.attach_email(name, email)

    assert tending_world.emails(name) == [f"{name}@example.org", f"second.{name}@example.org"]


def test_attach_email_of_another_account_is_refused_and_stays_there(tending_world: World) -> None:
    homeserver, first, second = tending_world.homeserver, new_name(), new_name()
    email = f"{first}@example.org"
    homeserver.create(first, PASSWORD)
    homeserver.create(second, PASSWORD)
    homeserver.attach_email(first, email)

    for spelling in (email, email.upper()):
        with pytest.raises(EmailTaken):
            homeserver.attach_email(second, spelling)

    assert (tending_world.emails(first), tending_world.emails(second)) == ([email], [])


def test_attach_email_of_ten_at_once_gives_it_to_one(tending_world: World) -> None:
    names = [new_name() for _ in range(10)]
    email = f"{names[0]}@example.org"
    for name in names:
        tending_world.homeserver.create(name, PASSWORD)

    outcomes = _at_once(10, lambda number: tending_world.homeserver.attach_email(names[number], email))

    assert [type(outcome) for outcome in outcomes].count(EmailTaken) == 9
    assert sum(tending_world.emails(name) == [email] for name in names) == 1


@pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
def test_join_by_id_and_alias_again_and_again_is_one_membership(tending_world: World, *, public: bool) -> None:
    homeserver, name, alias = tending_world.homeserver, new_name(), new_name("lobby")
    homeserver.create(name, PASSWORD)
    room_id = tending_world.make_room(alias, public=public)

    for room in (room_id, f"#{alias}:localhost", room_id, f"#{alias}:localhost"):
        homeserver.join(name, room)

    assert tending_world.rooms(name) == [room_id]


def test_join_works_for_a_held_account(admin_world: World) -> None:
    homeserver, name = admin_world.homeserver, new_name()
    room_id = admin_world.make_room(new_name("lobby"), public=True)
    homeserver.hold(name, PASSWORD)

    homeserver.join(name, room_id)

    assert admin_world.rooms(name) == [room_id]


def test_join_a_room_that_is_closed_or_missing_is_refused_with_a_remedy(tending_world: World) -> None:
    homeserver, name, alias = tending_world.homeserver, new_name(), new_name("closed")
    homeserver.create(name, PASSWORD)
    room_id = tending_world.make_room(alias, public=False, admin_is_in=False)

    for room in (room_id, f"#{alias}:localhost", "#no-such-room:localhost", "!nosuchroom:localhost", "no room at all"):
        with pytest.raises(RoomRefused) as error:
            homeserver.join(name, room)
        assert room in error.value.remedy
    assert tending_world.rooms(name) == []


def test_refusals_have_a_sentence_a_code_and_no_secret(world: World) -> None:
    name = new_name()
    world.make_account(name, OTHER)

    with pytest.raises(HomeserverError) as error:
        world.homeserver.create(name, PASSWORD)

    assert str(error.value) == "This user name is taken. Choose another one."
    assert error.value.code == "name-taken"
    assert PASSWORD not in repr(error.value) + error.value.detail


def _at_once(number: int, deed: Callable[[int], object]) -> list[Exception | None]:
    """Do it in so many threads at one moment; return what each of them raised."""
    outcomes: list[Exception | None] = [None] * number
    start = threading.Barrier(number)

    def run(index: int) -> None:
        start.wait()
        try:
            deed(index)
        except HomeserverError as error:
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _is_seen(world: World, name: str) -> bool:
    sighting = world.homeserver.look_up(name)
    return sighting is not None and sighting.seen


def _soon(question: Callable[[], bool]) -> bool:
    """Synapse writes down who was seen every five seconds."""
    end = now() + timedelta(seconds=60)
    pause = threading.Event()
    while not question():
        if now() > end:
            return False
        pause.wait(0.3)
    return True


@pytest.mark.parametrize("public", [True, False])
def test_say_in_room_by_id_and_alias_says_it_once_for_a_key(tending_world: World, *, public: bool) -> None:
    alias = new_name("team")
    room_id = tending_world.make_room(alias, public=public)
    homeserver = tending_world.homeserver

    homeserver.say_in_room(f"#{alias}:localhost", "New.", key="1")
    homeserver.say_in_room(f"#{alias}:localhost", "New.", key="1")
    homeserver.say_in_room(f"#{alias}:localhost", "New.", key="2")
    homeserver.say_in_room(room_id, "Other.")
    homeserver.say_in_room(room_id, "Other.")

    assert tending_world.said(room_id) == ["New.", "New.", "Other."]


def test_say_in_room_that_is_public_and_not_joined_yet_joins_it(tending_world: World) -> None:
    alias = new_name("team")
    room_id = tending_world.make_room(alias, public=True, admin_is_in=False)

    tending_world.homeserver.say_in_room(f"#{alias}:localhost", "New.")

    assert tending_world.said(room_id) == ["New."]


def test_say_in_room_that_is_closed_or_missing_is_refused_with_a_remedy(tending_world: World) -> None:
    alias = new_name("closed")
    room_id = tending_world.make_room(alias, public=False, admin_is_in=False)

    for room in (room_id, "#nothing:localhost", "!nothing:localhost"):
        with pytest.raises(RoomRefused) as caught:
            tending_world.homeserver.say_in_room(room, "New.")
        assert room in caught.value.remedy


def test_say_in_room_with_the_secret_alone_is_not_possible(secret_world: World) -> None:
    with pytest.raises(NotPossible):
        secret_world.homeserver.say_in_room("!room:localhost", "New.")
