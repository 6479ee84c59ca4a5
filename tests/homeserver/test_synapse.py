"""What is Synapse's own: its requests, its traps, its refusals, and what each of them means."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from dev.proxy import ChaosProxy, Cut, Pass, Repeat, Status
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.errors import (
    Busy,
    HomeserverError,
    Misconfigured,
    NameRefused,
    NameTaken,
    NotPossible,
    PasswordRefused,
    ServerFull,
    Unreachable,
)
from foyer.homeserver.http import Client
from foyer.homeserver.port import PasswordPolicy
from foyer.homeserver.synapse import Synapse
from tests.homeserver.servers import AUTHORITY, tls_in_front_of
from tests.homeserver.worlds import PASSWORD, TIMEOUT, adapter, new_name

REGISTER = ("POST", "/v1/register$")
POLICY = ("GET", "/password_policy$")

pytestmark = pytest.mark.synapse


def _error(status: int, errcode: str, error: str = "", **more: Any) -> Status:
    return Status(status, json.dumps({"errcode": errcode, "error": error, **more}))


def _asked(chaos: ChaosProxy) -> list[str]:
    return [f"{seen.method} {seen.path.partition('/_synapse/admin')[2] or seen.path}" for seen in chaos.seen]


def _refusal(homeserver: Synapse, password: str = PASSWORD) -> HomeserverError:
    with pytest.raises(HomeserverError) as error:
        homeserver.create(new_name(), password)
    return error.value


def _at(url: str, *, secret: str | None = "secret", token: str | None = None) -> Synapse:
    return Synapse(Client(url, timeout=TIMEOUT), "localhost", secret, token)


@pytest.fixture
def stub() -> Iterator[ChaosProxy]:
    """A homeserver that gives the answers it is told to give, and else closes the connection."""
    with ChaosProxy("http://127.0.0.1:9") as proxy:
        proxy.add(Status(200, '{"nonce": "n"}'), "GET", "/v1/register$")
        proxy.add(Status(200), *POLICY)
        proxy.add(Status(404, '{"errcode": "M_UNRECOGNIZED"}'), "GET", "/auth_metadata$")
        yield proxy


def test_create_by_the_secret_is_two_requests(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    homeserver = adapter(synapse, "both", url=chaos.url)
    homeserver.password_policy()
    chaos.clear()

    homeserver.create(new_name(), PASSWORD)

    assert _asked(chaos) == ["GET /v1/register", "POST /v1/register"]
    assert json.loads(chaos.seen[1].body)["inhibit_login"] is True


def test_create_by_the_secret_with_sign_in_is_two_requests(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    homeserver = adapter(synapse, "secret", url=chaos.url)
    homeserver.password_policy()
    chaos.clear()

    homeserver.create(new_name(), PASSWORD, sign_in=True)

    assert json.loads(chaos.seen[1].body)["inhibit_login"] is False
    assert len(chaos.seen) == 2


def test_create_by_the_token_claims_with_an_empty_request_first(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    homeserver = adapter(synapse, "token", url=chaos.url)
    homeserver.password_policy()
    chaos.clear()
    name = new_name()

    homeserver.create(name, PASSWORD)

    assert chaos.seen[0].body == b"{}"
    assert _asked(chaos) == [f"PUT /v2/users/%40{name}%3Alocalhost", f"POST /v1/reset_password/%40{name}%3Alocalhost"]


def test_create_by_the_token_that_cannot_sign_in_gives_the_account_without_a_token(
    synapse: RealSynapse, chaos: ChaosProxy
) -> None:
    chaos.add(_error(429, "M_LIMIT_EXCEEDED"), "POST", "/login$")
    name = new_name()

    created = adapter(synapse, "token", url=chaos.url).create(name, PASSWORD, sign_in=True)

    assert created.access_token is None
    assert synapse.login(name, PASSWORD)[0] == 200


def test_sign_in_names_the_device_only_where_it_stays(synapse: RealSynapse) -> None:
    name = new_name()
    adapter(synapse, "token").create(name, PASSWORD, sign_in=True)

    devices = synapse.admin("GET", f"/_synapse/admin/v2/users/%40{name}%3Alocalhost/devices")[1]["devices"]

    assert [device["display_name"] for device in devices] == ["Foyer"]


def test_create_with_a_nonce_that_is_gone_takes_a_new_one(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.add(_error(400, "M_UNKNOWN", "unrecognised nonce"), *REGISTER, times=1)
    name = new_name()

    adapter(synapse, "secret", url=chaos.url).create(name, PASSWORD)

    assert chaos.count(*REGISTER) == 2
    assert synapse.login(name, PASSWORD)[0] == 200


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
def test_create_through_a_proxy_that_sends_twice_may_have_been_done(
    synapse: RealSynapse, chaos: ChaosProxy, times: int | None
) -> None:
    chaos.add(Repeat(), *REGISTER, times=times)
    name = new_name()

    with pytest.raises(Unreachable) as error:
        adapter(synapse, "secret", url=chaos.url).create(name, PASSWORD)

    assert error.value.maybe_done
    assert synapse.login(name, PASSWORD)[0] == 200


def test_create_sent_twice_and_cut_before_the_next_try_may_have_been_done(
    synapse: RealSynapse, chaos: ChaosProxy
) -> None:
    chaos.add(Repeat(), *REGISTER, times=1)
    chaos.add(Cut(), "GET", "/v1/register$", times=1)
    chaos.add(Pass(), "GET", "/v1/register$", times=1)  # the newest rule first: the second nonce is cut
    name = new_name()

    with pytest.raises(Unreachable) as error:
        adapter(synapse, "secret", url=chaos.url).create(name, PASSWORD)

    assert error.value.maybe_done
    assert synapse.login(name, PASSWORD)[0] == 200


def test_look_up_after_our_own_trying_of_the_password_has_seen_nobody(synapse: RealSynapse) -> None:
    name, ours = new_name(), adapter(synapse, "both")
    ours.create(name, PASSWORD)
    assert ours.password_is_right(name, PASSWORD)
    deadline = time.monotonic() + 60
    while (synapse.user(name) or {}).get("last_seen_ts") is None:  # Synapse writes it down some seconds later
        assert time.monotonic() < deadline
        time.sleep(0.3)

    sighting = ours.look_up(name)
    assert sighting is not None
    assert not sighting.seen

    token = synapse.login(name, PASSWORD)[1]["access_token"]
    synapse.request("GET", "/_matrix/client/v3/account/whoami", token=token)
    sighting = ours.look_up(name)
    assert sighting is not None
    assert sighting.seen


@pytest.mark.parametrize("as_http", [True, False], ids=["a page", "no HTTP"])
@pytest.mark.parametrize("credentials", ["secret", "token"])
def test_create_answered_with_garbage_may_have_been_done(
    synapse: RealSynapse, chaos: ChaosProxy, credentials: str, *, as_http: bool
) -> None:
    from tests.homeserver.worlds import SynapseWorld

    world = SynapseWorld(credentials, synapse, chaos)
    world.be_garbage(as_http=as_http)

    error = _refusal(world.homeserver)

    assert isinstance(error, Unreachable)
    assert error.maybe_done


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_error(400, "M_INVALID_USERNAME", "User ID may not begin with _"), NameRefused),
        (_error(400, "M_EXCLUSIVE", "This user ID is reserved"), NameRefused),
        (_error(400, "M_UNKNOWN", "Invalid username"), NameRefused),
        (_error(400, "M_WEAK_PASSWORD", "Too weak"), PasswordRefused),
        (_error(400, "M_PASSWORD_TOO_SHORT", "The password must be at least 12 characters long"), PasswordRefused),
        (_error(400, "M_PASSWORD_NO_DIGIT", "The password must include at least one digit"), PasswordRefused),
        (_error(400, "M_PASSWORD_IN_DICTIONARY", "It is in a book"), PasswordRefused),
        (_error(400, "M_UNKNOWN", "Invalid password"), PasswordRefused),
        (_error(403, "M_RESOURCE_LIMIT_EXCEEDED", "Monthly Active User Limit Exceeded"), ServerFull),
        (_error(429, "M_UNKNOWN", "Rate limited"), Busy),
        (_error(400, "M_SOMETHING_NEW", "Nobody knows"), Misconfigured),
    ],
)
def test_create_refused_means_what_the_code_says_and_keeps_its_words(
    stub: ChaosProxy, answer: Status, kind: type[HomeserverError]
) -> None:
    stub.add(answer, *REGISTER)

    error = _refusal(_at(stub.url))

    assert type(error) is kind
    assert {"errcode": error.errcode, "error": error.error} == json.loads(answer.body)
    assert error.http_status == answer.code
    assert str(error)


def test_create_refused_for_the_password_says_what_is_missing(stub: ChaosProxy) -> None:
    stub.add(_error(400, "M_PASSWORD_NO_DIGIT", "The password must include at least one digit"), *REGISTER)

    assert str(_refusal(_at(stub.url))) == "Use at least one digit."


def test_create_enforces_the_policy_that_synapse_does_not(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    rules = {"m.minimum_length": 20, "m.require_digit": True, "m.require_uppercase": True, "m.require_symbol": "yes"}
    chaos.add(Status(200, json.dumps(rules)), *POLICY)
    homeserver = adapter(synapse, "both", url=chaos.url)

    error = _refusal(homeserver, "short")
    homeserver.create(new_name(), "A long one, with 1 digit")

    assert isinstance(error, PasswordRefused)
    assert error.reasons == ("password-too-short", "password-no-digit", "password-no-uppercase")
    assert str(error) == (
        "Use at least 20 characters. Use at least one digit. Use at least one capital letter from A to Z."
    )
    assert homeserver.password_policy() == PasswordPolicy(min_length=20, digit=True, uppercase=True)
    assert chaos.count(*POLICY) == 1


def test_password_policy_of_a_server_without_one_asks_nothing(stub: ChaosProxy) -> None:
    stub.add(_error(404, "M_UNRECOGNIZED"), *POLICY)

    assert _at(stub.url).password_policy() == PasswordPolicy()


def test_password_policy_that_reads_yes_in_the_homeserver_reaches_us(
    tmp_path_factory: pytest.TempPathFactory, synapse: RealSynapse
) -> None:
    policy = {"enabled": True, "minimum_length": 11, "require_lowercase": True, "require_symbol": True}
    directory = tmp_path_factory.mktemp("policy")
    with RealSynapse.start(directory, extra_config={"password_config": {"policy": policy}}) as strict:
        homeserver = adapter(strict, "both")

        assert homeserver.password_policy() == PasswordPolicy(min_length=11, lowercase=True, symbol=True)


def test_create_with_a_wrong_secret_names_the_key(synapse: RealSynapse) -> None:
    error = _refusal(_at(synapse.url, secret="a wrong one"))

    assert isinstance(error, Misconfigured)
    assert error.remedy.startswith("homeserver.registration_shared_secret is wrong.")
    assert "a wrong one" not in f"{error!r}{error.detail}{error.remedy}"


def test_create_where_the_server_has_no_secret_names_its_key(stub: ChaosProxy) -> None:
    stub.add(_error(400, "M_UNKNOWN", "Shared secret registration is not enabled"), *REGISTER)

    error = _refusal(_at(stub.url))

    assert isinstance(error, Misconfigured)
    assert "no registration_shared_secret in its homeserver.yaml" in error.remedy


def test_everything_with_a_dead_token_names_the_key(synapse: RealSynapse) -> None:
    homeserver = _at(synapse.url, secret=None, token="syt_nobody")
    error = _refusal(homeserver)

    assert isinstance(error, Misconfigured)
    assert "does not accept homeserver.admin_token" in error.remedy
    for deed in (homeserver.check_name, homeserver.look_up, homeserver.open, homeserver.shelve):
        with pytest.raises(Misconfigured):
            deed("maria")


def test_check_name_with_the_secret_and_a_dead_token_asks_as_anybody(synapse: RealSynapse) -> None:
    taken = new_name()
    synapse.register(taken, PASSWORD)
    homeserver = _at(synapse.url, secret=None, token="syt_nobody")
    homeserver = replace(homeserver, shared_secret=adapter(synapse, "secret").shared_secret)

    with capture_logs() as logs:
        homeserver.check_name(new_name())
        with pytest.raises(NameTaken):
            homeserver.check_name(taken)

    assert [entry["event"] for entry in logs] == ["asking for names without the admin token"]
    assert "does not accept homeserver.admin_token" in logs[0]["remedy"]
    with pytest.raises(NameRefused):
        homeserver.check_name("_maria")


def test_everything_with_a_token_of_no_admin_names_the_key(synapse: RealSynapse) -> None:
    name = new_name()
    synapse.register(name, PASSWORD)
    token = synapse.login(name, PASSWORD)[1]["access_token"]

    error = _refusal(_at(synapse.url, secret=None, token=token))

    assert isinstance(error, Misconfigured)
    assert "is not an admin" in error.remedy


def test_create_without_any_credential_is_not_possible(synapse: RealSynapse) -> None:
    homeserver = _at(synapse.url, secret=None)

    assert isinstance(_refusal(homeserver), NotPossible)
    assert not homeserver.create_is_one_step


def test_create_by_the_token_under_another_server_name_names_the_key(synapse: RealSynapse) -> None:
    client = Client(synapse.url, timeout=TIMEOUT)

    error = _refusal(Synapse(client, "example.org", None, synapse.admin_token))

    assert isinstance(error, Misconfigured)
    assert error.remedy.startswith("server_name is not the homeserver's own")


@pytest.mark.parametrize("credentials", ["secret", "token"])
def test_create_where_mas_makes_the_accounts_says_so(stub: ChaosProxy, credentials: str) -> None:
    stub.add(Status(200, '{"issuer": "https://auth.example.org/"}'), "GET", "/auth_metadata$")
    stub.add(_error(404, "M_UNRECOGNIZED", "Unrecognized request"), "GET", "/v1/register$")
    stub.add(_error(403, "M_FORBIDDEN", "User creation via the Admin API is not available"), "PUT", "/v2/users/")
    secret, token = ("s", None) if credentials == "secret" else (None, "t")

    error = _refusal(_at(stub.url, secret=secret, token=token))

    assert isinstance(error, Misconfigured)
    assert error.remedy.startswith("The Matrix Authentication Service makes the accounts")


def test_create_where_the_proxy_passes_no_admin_api_says_so(stub: ChaosProxy) -> None:
    stub.add(Status(404, "<html>nginx</html>"), "GET", "/v1/register$")

    error = _refusal(_at(stub.url))

    assert isinstance(error, Misconfigured)
    assert "passes on /_matrix and /_synapse/admin" in error.remedy


def test_create_where_something_else_answers_says_so(stub: ChaosProxy) -> None:
    stub.add(Status(401, "<html>Password, please</html>"), "GET", "/v1/register$")

    error = _refusal(_at(stub.url))

    assert isinstance(error, Misconfigured)
    assert "is not a Matrix homeserver" in error.remedy


def test_create_where_passwords_are_kept_elsewhere_says_that_a_shell_is_there(
    synapse: RealSynapse, chaos: ChaosProxy
) -> None:
    chaos.add(_error(403, "M_FORBIDDEN", "Password change disabled"), "POST", "/reset_password/")

    error = _refusal(adapter(synapse, "token", url=chaos.url))

    assert isinstance(error, Unreachable)
    assert error.maybe_done
    assert isinstance(error.__cause__, Misconfigured)
    assert "password_config.localdb_enabled" in error.__cause__.remedy


def test_names_where_profiles_are_not_public_are_left_to_create(stub: ChaosProxy) -> None:
    stub.add(_error(401, "M_MISSING_TOKEN", "Missing access token"), "GET", "/profile/")

    _at(stub.url).check_name("maria")
    with pytest.raises(NotPossible) as error:
        _at(stub.url).exists("maria")

    assert "homeserver.admin_token" in error.value.remedy


def test_password_is_right_where_nobody_has_one_is_not_possible(stub: ChaosProxy) -> None:
    stub.add(_error(400, "M_UNKNOWN", "Password login has been disabled."), "POST", "/login$")

    with pytest.raises(NotPossible) as error:
        _at(stub.url).password_is_right("maria", PASSWORD)

    assert "password_config.enabled" in error.value.remedy


def test_password_is_right_when_signing_out_fails_leaves_one_device_that_the_next_try_takes_away(
    synapse: RealSynapse, chaos: ChaosProxy
) -> None:
    name = new_name()
    synapse.register(name, PASSWORD)
    homeserver = adapter(synapse, "secret", url=chaos.url)
    devices = f"/_synapse/admin/v2/users/%40{name}%3Alocalhost/devices"
    chaos.add(Status(502), "POST", "/logout$", times=2)

    assert homeserver.password_is_right(name, PASSWORD)
    assert homeserver.password_is_right(name, PASSWORD)
    assert synapse.admin("GET", devices)[1]["total"] == 1

    assert homeserver.password_is_right(name, PASSWORD)
    assert synapse.admin("GET", devices)[1]["total"] == 0


def test_hold_never_shows_the_password_before_the_lock(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    for credentials in ("token", "both"):
        chaos.clear()
        adapter(synapse, credentials, url=chaos.url).hold(new_name(), PASSWORD)

        carriers = [index for index, seen in enumerate(chaos.seen) if PASSWORD.encode() in seen.body]
        locks = [index for index, seen in enumerate(chaos.seen) if b'"locked": true' in seen.body]
        assert len(carriers) == len(locks) == 1
        assert locks[0] < carriers[0]


def test_create_over_tls_with_a_private_authority_makes_the_account(synapse: RealSynapse) -> None:
    name = new_name()
    with tls_in_front_of(synapse.port, "good.pem") as url:
        client = Client(url, timeout=timedelta(seconds=5), verify_tls=AUTHORITY)

        Synapse(client, "localhost", synapse.shared_secret).create(name, PASSWORD)

    assert synapse.login(name, PASSWORD)[0] == 200


def test_repr_of_an_adapter_shows_no_secret(synapse: RealSynapse) -> None:
    shown = repr(adapter(synapse, "both"))

    assert synapse.shared_secret not in shown
    assert synapse.admin_token not in shown
