"""What the predecessor's manual shows, as it is written there, against a real server and a real Synapse."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from dev.synapse import Synapse
from tests.support.server import RunningFoyer, running_foyer
from tests.support.synapse import homeserver_keys

pytestmark = [
    pytest.mark.synapse,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

SECRET = "the secret that scripts have"
REGISTER = (
    "curl -X POST -F username=test -F password=verysecure -F confirm=verysecure -F token=DoubleWizardSki "
    "http://localhost:5000/register"
)


@pytest.fixture(scope="module")
def foyer(synapse: Synapse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFoyer]:
    """A running Foyer before the real Synapse, limits and all."""
    with running_foyer(
        tmp_path_factory.mktemp("promises"),
        homeserver=homeserver_keys(synapse, "both"),
        server_name=synapse.server_name,
        screening={"limits": True},
        api={"legacy_shared_secret": SECRET, "cors_origins": ["https://www.example.org"]},
    ) as running:
        yield running


def run(foyer: RunningFoyer, line: str) -> str:
    """Run a curl line as it is written; only the connection goes to the port of this test."""
    program, *arguments = shlex.split(line)
    there = ["--silent", "--show-error", "--connect-to", f"localhost:5000:127.0.0.1:{foyer.port}"]
    return subprocess.run(
        [shutil.which(program) or program, *there, *arguments], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def api(foyer: RunningFoyer, arguments: str) -> object:
    """Ask the API, and return what it says."""
    return json.loads(run(foyer, f"curl -H 'Authorization: SharedSecret {SECRET}' {arguments}"))


def test_curl_of_the_manual_makes_an_account_that_can_sign_in(foyer: RunningFoyer, synapse: Synapse) -> None:
    foyer.invite("--code", "DoubleWizardSki")

    answer = json.loads(run(foyer, REGISTER))

    token = answer.pop("access_token")
    assert answer == {
        "home_server": synapse.server_name,
        "status": "success",
        "status_code": 200,
        "user_id": f"@test:{synapse.server_name}",
    }
    who = synapse.request("GET", "/_matrix/client/v3/account/whoami", token=token)
    assert (who[0], who[1]["user_id"]) == (200, f"@test:{synapse.server_name}")
    assert synapse.login("test", "verysecure")[0] == 200
    assert json.loads(run(foyer, REGISTER.replace("username=test", "username=other")))["reason"] == "invite-spent"


def test_name_taken_on_synapse_has_its_own_words(foyer: RunningFoyer, synapse: Synapse) -> None:
    foyer.invite("--code", "TakenWizardSki")
    synapse.register("taken-by-somebody", "a password")

    answer = json.loads(
        run(foyer, REGISTER.replace("Double", "Taken").replace("username=test", "username=taken-by-somebody"))
    )

    assert answer["errcode"] == "M_USER_IN_USE"
    assert isinstance(answer["error"], str)
    assert answer["reason"] == "name-taken"


def test_token_made_by_the_api_of_0_9_lets_as_many_in_as_it_says(foyer: RunningFoyer, synapse: Synapse) -> None:
    token = api(foyer, "-X POST -d '{\"max_usage\": 1}' http://localhost:5000/api/token")
    assert isinstance(token, dict)
    register = REGISTER.replace("DoubleWizardSki", token["name"])

    first = json.loads(run(foyer, register.replace("username=test", "username=zero-nine")))
    second = json.loads(run(foyer, register.replace("username=test", "username=zero-nine-more")))

    assert first["user_id"] == f"@zero-nine:{synapse.server_name}"
    assert second["error"] == {"token": ["Token is invalid"]}
    shown = api(foyer, f"http://localhost:5000/api/token/{token['name']}")
    assert shown == {**token, "active": False, "used": 1}


def test_token_made_by_the_api_of_0_7_and_disabled_lets_nobody_in(foyer: RunningFoyer) -> None:
    token = api(foyer, "-X POST -d '{\"one_time\": true}' http://localhost:5000/token")
    assert isinstance(token, dict)
    api(foyer, f"-X PUT -d '{{\"disable\": true}}' http://localhost:5000/token/{token['name']}")

    answer = json.loads(run(foyer, REGISTER.replace("DoubleWizardSki", token["name"])))

    assert answer["reason"] == "invite-revoked"


def test_generate_and_status_have_the_old_words_and_an_exit_status(foyer: RunningFoyer) -> None:
    name = foyer.cli("generate", "-m", "2", "-e", "2030-01-31").stdout
    assert name.removesuffix("\n").isalpha()
    name = name.strip()

    shown = foyer.cli("status", "-s", name)
    first, _, rest = shown.stdout.partition("\n")
    assert first == "This token is valid"
    assert json.loads(rest) == {
        "name": name,
        "used": 0,
        "expiration_date": "2030-01-31 00:00:00",
        "max_usage": 2,
        "ips": [],
        "disabled": False,
        "active": True,
    }
    assert name in foyer.cli("status", "-l").stdout.strip().split(", ")
    assert foyer.cli("status", "-s", name, "-l", "-d", name).stdout == "Token disabled\n"
    again = foyer.cli("status", "-d", name, check=False)
    assert (again.stdout, again.returncode) == ("Token couldn't be disabled\n", 1)
    unknown = foyer.cli("status", "-s", "Unknown", check=False)
    assert (unknown.stdout, unknown.returncode) == ("No token with that name\n", 1)
    assert foyer.cli("status").stdout == ""
    one_time = foyer.cli("generate", "--one-time").stdout.strip()
    assert json.loads(foyer.cli("status", "-s", one_time).stdout.partition("\n")[2])["max_usage"] == 1


def test_health_version_and_page_are_where_they_were(foyer: RunningFoyer) -> None:
    foyer.invite("--code", "PageWizardSki")

    assert run(foyer, "curl http://localhost:5000/health") == "OK"
    assert set(api(foyer, "http://localhost:5000/api/version") or {}) == {"version"}  # type: ignore[call-overload]
    page = run(foyer, "curl http://localhost:5000/register?token=PageWizardSki")
    assert "<form" in page
    assert "PageWizardSki" in page


def test_page_on_another_origin_is_answered_with_cors(foyer: RunningFoyer) -> None:
    origin = "https://www.example.org"

    headers = run(
        foyer,
        f"curl -i -X OPTIONS -H 'Origin: {origin}' -H 'Access-Control-Request-Method: POST' http://localhost:5000/register",
    )

    assert f"access-control-allow-origin: {origin}" in headers.lower().splitlines()


def test_body_without_its_length_is_411_in_json(foyer: RunningFoyer) -> None:
    answer = run(foyer, "curl -H 'Transfer-Encoding: chunked' -d username=test http://localhost:5000/register")

    assert json.loads(answer)["code"] == "length-required"
