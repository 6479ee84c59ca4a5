"""What is peculiar to the Matrix Authentication Service: its access tokens, its two servers, its half-made accounts."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from dev.proxy import Cut, Delay, Hang, Lose, Repeat, Status
from foyer.homeserver.errors import (
    Busy,
    EmailRefused,
    EmailTaken,
    HomeserverError,
    Misconfigured,
    NameRefused,
    NameTaken,
    NotPossible,
    PasswordRefused,
    Unreachable,
)
from foyer.homeserver.http import Client
from foyer.homeserver.mas import Mas
from foyer.homeserver.mas_access import Access
from foyer.homeserver.port import Capability, TokenUses
from foyer.kit.clock import now
from tests.homeserver.mas_double import CLIENT_ID, CLIENT_SECRET
from tests.homeserver.mas_world import MasWorld
from tests.homeserver.servers import AUTHORITY, tls_in_front_of
from tests.homeserver.worlds import PASSWORD, TIMEOUT, new_name

OTHER = "another password 2"
STRONG = "quarzlampe nebel tragen ufer"
TOKEN_REQUEST = ("POST", "/oauth2/token$")


@pytest.fixture
def mas(mas_worlds: Callable[[str], MasWorld]) -> MasWorld:
    """The service and its Synapse, with an admin token."""
    return mas_worlds("token")


@pytest.fixture
def without_token(mas_worlds: Callable[[str], MasWorld]) -> MasWorld:
    """The same without an admin token of Synapse."""
    return mas_worlds("client")


def test_capabilities_without_an_admin_token_lack_what_only_synapse_can_do(
    mas: MasWorld, without_token: MasWorld
) -> None:
    assert mas.homeserver.capabilities - without_token.homeserver.capabilities == {Capability.ROOMS, Capability.SAY}
    assert set(Capability) - mas.homeserver.capabilities == {Capability.CONSENT}
    deeds: list[Callable[[], object]] = [
        lambda: without_token.homeserver.join("maria", "#lobby:localhost"),
        lambda: without_token.homeserver.say("maria", "Welcome!"),
        lambda: without_token.homeserver.say_in_room("#lobby:localhost", "Hello!"),
    ]
    for deed in deeds:
        with pytest.raises(NotPossible) as error:
            deed()
        assert "homeserver.admin_token" in error.value.remedy
    with pytest.raises(NotPossible):
        mas.homeserver.record_consent("maria")


# The access token


def test_token_is_asked_for_once(mas: MasWorld) -> None:
    for _ in range(3):
        mas.homeserver.look_up(new_name())

    assert mas.chaos.count(*TOKEN_REQUEST) == 1


def test_token_of_twenty_threads_at_once_is_asked_for_once(mas: MasWorld) -> None:
    mas.chaos.add(Delay(0.3), *TOKEN_REQUEST)

    outcomes = _at_once(20, lambda number: mas.homeserver.look_up(f"nobody-{number}"))

    assert outcomes == [None] * 20
    assert mas.chaos.count(*TOKEN_REQUEST) == 1


def test_token_is_renewed_before_it_ends(mas: MasWorld) -> None:
    mas.mas.token_lifetime = 2
    mas.homeserver.look_up("nobody")
    time.sleep(1.2)

    mas.homeserver.look_up("nobody")

    assert mas.chaos.count(*TOKEN_REQUEST) == 2
    assert mas.chaos.count("GET", "/by-username/") == 2


def test_token_that_cannot_be_renewed_in_advance_is_used_as_long_as_it_is_good(mas: MasWorld) -> None:
    mas.mas.token_lifetime = 8
    mas.homeserver.look_up("nobody")
    mas.chaos.add(Status(500), *TOKEN_REQUEST)
    time.sleep(4.1)

    for _ in range(3):
        mas.homeserver.look_up("nobody")

    assert mas.chaos.count(*TOKEN_REQUEST) == 2


def test_token_that_is_renewed_in_advance_holds_nobody_up(mas: MasWorld) -> None:
    mas.mas.token_lifetime = 8
    mas.homeserver.look_up("nobody")
    time.sleep(4.1)
    mas.chaos.add(Hang(), *TOKEN_REQUEST)
    renewing = threading.Thread(target=mas.homeserver.look_up, args=("nobody",))
    renewing.start()
    mas.chaos.wait_for(2, *TOKEN_REQUEST)

    mas.homeserver.look_up("nobody")

    assert renewing.is_alive()
    mas.chaos.release()
    renewing.join()


def test_token_that_is_not_accepted_any_more_is_renewed_once(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.look_up(name)
    mas.mas.forget_access()

    mas.homeserver.create(name, PASSWORD)

    assert mas.sign_in(name, PASSWORD) == "ok"
    assert mas.chaos.count(*TOKEN_REQUEST) == 2


def test_token_that_is_not_accepted_any_more_is_renewed_once_for_twenty_threads(mas: MasWorld) -> None:
    mas.homeserver.look_up("nobody")
    mas.mas.forget_access()
    mas.chaos.add(Delay(0.3), *TOKEN_REQUEST)

    outcomes = _at_once(20, lambda number: mas.homeserver.look_up(f"nobody-{number}"))

    assert outcomes == [None] * 20
    assert mas.chaos.count(*TOKEN_REQUEST) == 2


def test_token_that_was_refused_is_not_given_again_when_its_renewal_failed_meanwhile(
    mas: MasWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access(Client(mas.chaos.url, timeout=TIMEOUT), CLIENT_ID, CLIENT_SECRET)
    refused = access.token()
    token = access._token
    assert token is not None
    acquire = access._lock.acquire

    def acquire_late(timeout: float) -> bool:
        access._token = replace(token, renew_at=token.renew_at + 1)
        return acquire(timeout=timeout)

    monkeypatch.setattr(access, "_lock", SimpleNamespace(acquire=acquire_late, release=access._lock.release))

    assert access.token(instead_of=refused) != refused


def test_token_that_is_never_accepted_is_misconfigured_after_one_more_try(mas: MasWorld) -> None:
    mas.chaos.add(Status(401, '{"errors": [{"title": "Missing urn:mas:admin scope"}]}'), "GET", "/by-username/")

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.look_up("nobody")

    assert "policy.data.admin_clients" in error.value.remedy
    assert mas.chaos.count("GET", "/by-username/") == 2


def test_token_of_twenty_threads_while_the_service_hangs_fails_for_all_at_once(mas: MasWorld) -> None:
    mas.chaos.add(Hang(), *TOKEN_REQUEST)
    homeserver = mas.adapter(timeout=timedelta(seconds=2))
    begun = time.monotonic()

    outcomes = _at_once(20, lambda number: homeserver.look_up(f"nobody-{number}"))

    assert {type(outcome) for outcome in outcomes} == {Unreachable}
    assert time.monotonic() - begun < 20  # one after the other they would take forty


@pytest.mark.parametrize(
    ("client_id", "client_secret", "is_admin", "said"),
    [
        (CLIENT_ID, "wrong", True, "client_secret_basic"),
        ("01J44QC8BCY7FCFM7WGHQGKMTK", CLIENT_SECRET, True, "client_secret_basic"),
        (CLIENT_ID, CLIENT_SECRET, False, "policy.data.admin_clients"),
    ],
    ids=["secret", "id", "scope"],
)
def test_credentials_that_are_wrong_are_told_with_a_remedy(
    mas: MasWorld, client_id: str, client_secret: str, said: str, *, is_admin: bool
) -> None:
    mas.mas.admin_clients = {CLIENT_ID} if is_admin else set()
    homeserver = mas.adapter(client_id, client_secret)

    with pytest.raises(Misconfigured) as error:
        homeserver.create(new_name(), PASSWORD)

    assert said in error.value.remedy
    assert client_secret not in error.value.remedy + error.value.detail
    assert mas.mas.people == {}


def test_service_without_the_admin_api_is_told_with_a_remedy(mas: MasWorld) -> None:
    mas.mas.has_admin_api = False

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.create(new_name(), PASSWORD)

    assert "- name: adminapi" in error.value.remedy


def test_service_that_is_none_is_told_with_a_remedy(mas: MasWorld) -> None:
    mas.chaos.add(Status(404, "<html>nginx</html>"))

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.look_up("nobody")

    assert "homeserver.mas.url must lead to the Matrix Authentication Service" in error.value.remedy


# What a network does


@pytest.mark.parametrize("as_http", [True, False])
def test_create_answered_with_garbage_may_have_been_done(mas: MasWorld, *, as_http: bool) -> None:
    mas.be_garbage(as_http=as_http)

    with pytest.raises(Unreachable) as error:
        mas.homeserver.create(new_name(), PASSWORD)

    assert error.value.maybe_done


@pytest.mark.parametrize("body", ['{"data": null}', '{"data": {"id": "1"}}', "{}"])
def test_create_answered_with_no_account_may_have_been_done(mas: MasWorld, body: str) -> None:
    mas.chaos.add(Status(201, body), "POST", "/users$")

    with pytest.raises(Unreachable) as error:
        mas.homeserver.create(new_name(), PASSWORD)

    assert error.value.maybe_done


def test_create_that_a_proxy_repeats_finds_the_name_taken(mas: MasWorld) -> None:
    name = new_name()
    mas.chaos.add(Repeat(), "POST", "/users$", times=1)

    with pytest.raises(NameTaken):
        mas.homeserver.create(name, PASSWORD)

    assert mas.sign_in(name, PASSWORD) == "wrong"
    sighting = mas.homeserver.look_up(name)
    assert sighting is not None
    assert not sighting.seen


@pytest.mark.parametrize("status", [301, 307])
def test_redirect_names_the_key_and_sends_the_secret_nowhere(mas: MasWorld, status: int) -> None:
    mas.chaos.add(Status(status, "", {"Location": "http://127.0.0.1:9/elsewhere?x=1"}))

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.look_up("nobody")

    assert "homeserver.mas.url" in error.value.remedy
    assert "(http://127.0.0.1:9/elsewhere)" in error.value.remedy


def test_service_with_a_private_authority_is_spoken_to(mas: MasWorld) -> None:
    name = new_name()
    with tls_in_front_of(mas.chaos.port, "good.pem") as url:
        _over_tls(mas, url, AUTHORITY).create(name, PASSWORD)
        with pytest.raises(Misconfigured) as error:
            _over_tls(mas, url, True).create(new_name(), PASSWORD)

    assert mas.sign_in(name, PASSWORD) == "ok"
    assert "use the name in homeserver.mas.url" in error.value.remedy


def test_within_bounds_both_servers_together(mas: MasWorld) -> None:
    mas.homeserver.password_policy()
    mas.chaos.add(Delay(1.5), "GET", "/by-username/")
    mas.synapse_chaos.add(Delay(1.5), "GET", "/username_available")

    with mas.homeserver.within(2.5), pytest.raises(Unreachable):  # which each of them keeps
        mas.homeserver.check_name(new_name())


def test_log_and_errors_hold_no_secret_and_no_name(mas: MasWorld, caplog: pytest.LogCaptureFixture) -> None:
    name = new_name("gwendolyn")
    caplog.set_level(logging.DEBUG)
    mas.homeserver.create(name, PASSWORD, sign_in=True)
    mas.chaos.add(Cut())
    told = []
    deeds: list[Callable[[], object]] = [
        lambda: mas.homeserver.create(new_name("gwendolyn"), PASSWORD),
        lambda: mas.homeserver.look_up(name),
        lambda: mas.homeserver.attach_email(name, "gwendolyn@example.org"),
    ]
    for deed in deeds:
        with pytest.raises(HomeserverError) as error:
            deed()
        told.append(error.value.detail + repr(error.value))

    text = caplog.text + " ".join(told) + repr(mas.homeserver)
    for secret in (PASSWORD, CLIENT_SECRET, "mat_", "gwendolyn", "mct_"):
        assert secret not in text


# Names at two servers


def test_check_name_that_only_synapse_has_is_taken(mas: MasWorld, without_token: MasWorld) -> None:
    for world in (mas, without_token):
        name = new_name()
        world.synapse.provision(name)

        with pytest.raises(NameTaken):
            world.homeserver.check_name(name)
        assert world.homeserver.exists(name)


def test_check_name_that_a_service_keeps_is_refused_by_synapse_or_on_creation(
    mas: MasWorld, without_token: MasWorld
) -> None:
    with pytest.raises(NameRefused):
        mas.homeserver.check_name("appservice_maria")
    without_token.homeserver.check_name("appservice_maria")

    with pytest.raises(NameRefused) as error:
        without_token.homeserver.create("appservice_maria", PASSWORD)

    assert error.value.errcode == "M_EXCLUSIVE"
    assert without_token.mas.people == {}


def test_check_name_where_synapse_hides_profiles_leaves_it_to_the_service(without_token: MasWorld) -> None:
    without_token.synapse.shows_profiles = False
    name = new_name()

    without_token.homeserver.check_name(name)

    assert not without_token.homeserver.exists(name)


# Passwords


def test_create_with_a_password_that_is_too_weak_makes_nothing(mas: MasWorld) -> None:
    mas.mas.site["minimum_password_complexity"] = 3
    name = new_name()

    with pytest.raises(PasswordRefused) as error:
        mas.homeserver.create(name, "garden12")

    assert error.value.reasons == ("password-too-weak",)
    assert "harder to guess" in str(error.value)
    assert not error.value.leaves_shell
    assert mas.mas.people == {}
    mas.homeserver.create(name, STRONG)


@pytest.mark.parametrize("deed", ["create", "hold"])
def test_password_that_only_the_service_finds_weak_leaves_a_shell_that_nobody_can_use(mas: MasWorld, deed: str) -> None:
    name = new_name()
    mas.homeserver.password_policy()
    mas.mas.site["minimum_password_complexity"] = 4  # and we have not heard of it yet

    with pytest.raises(PasswordRefused) as error:
        getattr(mas.homeserver, deed)(name, "garden12")

    assert error.value.leaves_shell
    assert "garden12" not in error.value.detail + repr(error.value)
    assert mas.sign_in(name, "garden12") == "wrong"

    with pytest.raises(PasswordRefused) as again:
        mas.homeserver.reopen(name, "garden12")
    assert again.value.leaves_shell

    mas.homeserver.reopen(name, STRONG)
    assert mas.sign_in(name, STRONG) == "ok"


def test_service_without_passwords_makes_no_account(mas: MasWorld) -> None:
    mas.mas.site["password_login_enabled"] = False
    name = new_name()

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.create(name, PASSWORD)

    assert "passwords.enabled: true" in error.value.remedy
    assert mas.mas.people == {}
    mas.mas.site["password_login_enabled"] = True
    mas.homeserver.create(name, PASSWORD)  # whoever mends it need not restart


def test_shelve_where_passwords_were_switched_off_locks_all_the_same(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)
    mas.mas.site["password_login_enabled"] = False

    mas.homeserver.shelve(name)

    assert mas.sign_in(name, PASSWORD) == "locked"


def test_service_of_another_server_makes_no_account(mas: MasWorld) -> None:
    mas.mas.site["server_name"] = "example.org"

    with pytest.raises(Misconfigured) as error:
        mas.homeserver.create(new_name(), PASSWORD)

    assert "server_name: example.org" in error.value.remedy


# Holding


def test_hold_locks_before_there_is_a_password(mas: MasWorld) -> None:
    name = new_name()

    mas.homeserver.hold(name, PASSWORD)

    asked = [f"{it['asked'].method} {it['asked'].path.rpartition('/')[2]}" for it in mas.mas.exchanges]
    assert asked[-3:] == ["POST users", "POST lock", "POST set-password"]


@pytest.mark.parametrize("where", ["/users$", "/lock$", "/set-password$"])
@pytest.mark.parametrize("mode", [Cut(), Lose()], ids=["cut", "lost"])
def test_hold_that_breaks_anywhere_leaves_nothing_that_anybody_can_use(
    mas: MasWorld, where: str, mode: Cut | Lose
) -> None:
    name = new_name()
    mas.chaos.add(mode, "POST", where, times=1)

    with pytest.raises(Unreachable) as error:
        mas.homeserver.hold(name, PASSWORD)

    assert error.value.maybe_done
    assert mas.sign_in(name, PASSWORD) in ("wrong", "locked")


def test_shelve_ends_every_kind_of_session(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD, sign_in=True)
    mas.use(name, PASSWORD)
    assert mas.devices(name) == 4

    mas.homeserver.shelve(name)

    assert mas.devices(name) == 0


def test_reopen_ends_the_sessions_of_whoever_had_it_before(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.hold(name, PASSWORD)
    mas.homeserver.open(name)
    mas.use(name, PASSWORD)
    assert mas.devices(name)

    mas.homeserver.reopen(name, STRONG)

    assert (mas.sign_in(name, STRONG), mas.devices(name)) == ("ok", 0)


def test_shelve_at_an_older_service_without_personal_sessions_works(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)
    mas.mas.has_personal_sessions = False

    mas.homeserver.shelve(name)

    assert mas.sign_in(name, PASSWORD) == "wrong"


def test_shelve_of_many_sessions_ends_them_all_page_by_page(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)
    mas.mas.page_limit = 2
    for _ in range(5):
        mas.use(name, PASSWORD)

    mas.homeserver.shelve(name)

    assert mas.devices(name) == 0


# What it costs


def test_join_takes_four_requests_once_the_token_and_the_rules_are_known(mas: MasWorld) -> None:
    homeserver, name = mas.homeserver, new_name()
    homeserver.password_policy()
    mas.chaos.clear()

    homeserver.check_name(name)
    homeserver.create(name, PASSWORD)

    asked = [(seen.method, seen.path.rpartition("/")[2].partition("?")[0]) for seen in mas.chaos.seen]
    assert asked[1:] == [("POST", "users"), ("POST", "set-password")]
    assert [seen.path.partition("?")[0] for seen in mas.synapse_chaos.seen] == ["/_synapse/admin/v1/username_available"]
    assert len(asked) == 3


def test_list_that_never_ends_is_given_up(mas: MasWorld) -> None:
    entry = {"type": "user-session", "id": CLIENT_ID, "attributes": {"device_id": "FOYERTRIAL"}, "links": {"self": ""}}
    page = {"data": [entry], "links": {"self": "", "next": "/again"}}
    mas.chaos.add(Status(200, json.dumps(page)), "GET", "-sessions")
    name = new_name()
    mas.homeserver.create(name, PASSWORD)

    with pytest.raises(Unreachable):
        mas.homeserver.look_up(name)

    assert mas.chaos.count("GET", "-sessions") == 2


# What follows


@pytest.mark.parametrize("deed", ["join", "say"])
def test_deeds_at_synapse_wait_until_it_is_told_of_the_account(mas: MasWorld, deed: str) -> None:
    name = new_name()
    room = mas.make_room(new_name("lobby"), public=True)
    mas.mas.provision = lambda _name: None
    mas.homeserver.create(name, PASSWORD)
    argument = room if deed == "join" else "Welcome!"

    with pytest.raises(Busy) as error:
        getattr(mas.homeserver, deed)(name, argument)

    assert error.value.retry_after == 5.0
    mas.synapse.provision(name)
    getattr(mas.homeserver, deed)(name, argument)
    assert mas.rooms(name) == ([room] if deed == "join" else [])


def test_say_is_a_server_notice(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)

    mas.homeserver.say(name, "Welcome!")

    assert mas.synapse.notices == {f"@{name}:localhost": ["Welcome!"]}


def test_attach_email_that_another_process_added_at_the_same_moment_is_given_up(mas: MasWorld) -> None:
    first, second = new_name(), new_name()
    email = f"{first}@example.org"
    for name in (first, second):
        mas.homeserver.create(name, PASSWORD)
    person = mas.mas.person(first)
    assert person is not None
    mas.mas.takes_an_email_twice = True
    mas.chaos.add(Delay(0.5), "POST", "/user-emails$")
    racing = threading.Timer(0.2, mas.mas.add_email, (person.id, email))
    racing.start()

    with pytest.raises(EmailTaken):
        mas.homeserver.attach_email(second, email)

    racing.join()
    assert (mas.emails(first), mas.emails(second)) == ([email], [])


def test_attach_email_that_is_none_is_refused(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)

    with pytest.raises(EmailRefused):
        mas.homeserver.attach_email(name, "no email")


# Trying a password


def test_password_is_right_without_the_compatibility_layer_is_not_possible(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD)
    mas.mas.has_compat = False

    with pytest.raises(NotPossible) as error:
        mas.homeserver.password_is_right(name, PASSWORD)

    assert "- name: compat" in error.value.remedy
    assert mas.homeserver.create(new_name(), PASSWORD, sign_in=True).access_token is None


def test_password_is_right_of_an_account_nobody_used_does_not_make_it_used(mas: MasWorld) -> None:
    name = new_name()
    mas.homeserver.create(name, PASSWORD, sign_in=True)
    mas.homeserver.password_is_right(name, PASSWORD)

    sighting = mas.homeserver.look_up(name)

    assert sighting is not None
    assert not sighting.seen


def test_person_who_registered_at_the_service_itself_is_seen(mas: MasWorld) -> None:
    name = new_name()
    mas.mas.register(name, PASSWORD)

    sighting = mas.homeserver.look_up(name)

    assert sighting is not None
    assert sighting.seen


# Registration tokens


def test_tokens_are_found_among_many_and_read_once(mas: MasWorld) -> None:
    mas.mas.page_limit = 2
    for number in range(7):
        mas.homeserver.put_token(f"code-{number}", uses=1, expires_at=None)
    for number, token in enumerate(mas.mas.tokens):
        token.id = f"01AR{number}3NDEKTSV4RRFFQ69G5FAV"  # made long ago, with hours between them
    homeserver = mas.adapter()
    before = mas.chaos.count("GET", "/user-registration-tokens")

    assert homeserver.token_uses("code-6") == TokenUses(pending=0, completed=0)
    assert mas.chaos.count("GET", "/user-registration-tokens") == before + 4 + 1
    homeserver.put_token("code-7", uses=1, expires_at=None)
    homeserver.put_token("code-7", uses=2, expires_at=None)
    assert mas.chaos.count("GET", "/user-registration-tokens") == before + 4 + 1 + 1 + 1


def test_token_that_is_shown_after_a_later_one_is_found(mas: MasWorld) -> None:
    mas.homeserver.put_token("later", uses=1, expires_at=None)
    later = mas.mas.tokens[0]
    later.id = later.id[:10] + "Z" * 16
    assert mas.homeserver.token_uses("later") is not None

    mas.mas.tokens.insert(0, replace(later, id=later.id[:10] + "0" * 16, token="earlier"))

    assert mas.homeserver.token_uses("earlier") is not None


def test_token_that_another_process_made_meanwhile_is_edited(mas: MasWorld) -> None:
    mas.chaos.add(Repeat(), "POST", "/user-registration-tokens$", times=1)

    mas.homeserver.put_token("code", uses=3, expires_at=now() + timedelta(days=1))

    assert [token.usage_limit for token in mas.mas.tokens] == [3]


def test_token_at_a_service_that_answers_500_to_one_that_is_there_is_edited(mas: MasWorld) -> None:
    mas.chaos.add(Lose(), "POST", "/user-registration-tokens$", times=1)

    mas.homeserver.put_token("code", uses=3, expires_at=None)

    assert [(token.token, token.usage_limit) for token in mas.mas.tokens] == [("code", 3)]


def test_token_that_was_revoked_is_opened_after_its_limits_are_set(mas: MasWorld) -> None:
    mas.homeserver.put_token("code", uses=3, expires_at=None)
    mas.homeserver.delete_token("code")

    mas.homeserver.put_token("code", uses=1, expires_at=None)

    assert [(token.usage_limit, token.revoked_at) for token in mas.mas.tokens] == [(1, None)]
    deeds = [it["asked"].method + it["asked"].path.rpartition("/")[2][:8] for it in mas.mas.exchanges]
    assert deeds[-1] == "POSTunrevoke"


def _at_once(number: int, deed: Callable[[int], object]) -> list[HomeserverError | None]:
    outcomes: list[HomeserverError | None] = [None] * number
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


def _over_tls(mas: MasWorld, url: str, verify_tls: bool | Path) -> Mas:
    return Mas(
        client=Client(mas.synapse_chaos.url, timeout=TIMEOUT),
        mas_client=Client(url, timeout=TIMEOUT, verify_tls=verify_tls, key="homeserver.mas.url"),
        server_name="localhost",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
