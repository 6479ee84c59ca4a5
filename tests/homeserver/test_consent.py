"""Consent on a real Synapse with user_consent: whoever accepted the terms may speak, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dev import processes
from dev.proxy import ChaosProxy, Lose
from dev.synapse import SERVER_NOTICES
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.errors import AccountMissing, Misconfigured, NotPossible, Unreachable
from foyer.homeserver.http import Client
from foyer.homeserver.port import Capability, Level
from foyer.homeserver.synapse import Synapse
from tests.homeserver.worlds import PASSWORD, TIMEOUT, adapter, new_name
from tests.support.need import need

VERSION = "2.1"
pytestmark = pytest.mark.synapse


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSynapse]:
    """A Synapse that lets nobody speak before they accept its terms."""
    need("synapse")
    directory = tmp_path_factory.mktemp("strict")
    templates = directory / "templates" / "en"
    templates.mkdir(parents=True)
    (templates / f"{VERSION}.html").write_text("Terms of {{ user }}: {{ has_consented }}")
    (templates / "success.html").write_text("Thank you.")
    with RealSynapse.start(directory, **_asking_for_consent(templates.parent)) as running:
        yield running


def _asking_for_consent(templates: Path) -> dict[str, Any]:
    port = processes.free_port()
    consent = {
        "version": VERSION,
        "template_dir": str(templates),
        "block_events_error": "Accept the terms first: %(consent_uri)s",
    }
    listener = {
        "port": port,
        "type": "http",
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client", "consent"]}],
    }
    return {"port": port, "extra_config": {**SERVER_NOTICES, "user_consent": consent, "listeners": [listener]}}


@pytest.fixture
def homeserver(strict: RealSynapse) -> Synapse:
    return _with_consent(strict)


def _with_consent(strict: RealSynapse, *, url: str | None = None, secret: str = "", version: str = VERSION) -> Synapse:
    return Synapse(
        client=Client(url or strict.url, timeout=TIMEOUT),
        server_name=strict.server_name,
        shared_secret=strict.shared_secret,
        consent_version=version,
        form_secret=secret or str(strict.config["form_secret"]),
    )


def _may_make_a_room(strict: RealSynapse, localpart: str) -> str:
    token = strict.login(localpart, PASSWORD)[1]["access_token"]
    status, answer = strict.request("POST", "/_matrix/client/v3/createRoom", {"name": "Garden"}, token=token)
    return "yes" if status == 200 else str(answer["errcode"])


def test_record_consent_lifts_the_block_and_may_be_done_twice(strict: RealSynapse, homeserver: Synapse) -> None:
    name = new_name()
    homeserver.create(name, PASSWORD)
    assert _may_make_a_room(strict, name) == "M_CONSENT_NOT_GIVEN"

    homeserver.record_consent(name)
    homeserver.record_consent(name)

    assert _may_make_a_room(strict, name) == "yes"
    user = strict.user(name)
    assert user is not None
    assert user["consent_version"] == VERSION


def test_record_consent_of_a_name_with_a_slash_is_recorded_for_it(strict: RealSynapse, homeserver: Synapse) -> None:
    name = new_name("a/b=c+d")
    homeserver.create(name, PASSWORD)

    homeserver.record_consent(name)

    assert _may_make_a_room(strict, name) == "yes"


def test_record_consent_whose_answer_is_lost_may_be_sent_again(strict: RealSynapse) -> None:
    name = new_name()
    with ChaosProxy(strict.url) as chaos:
        homeserver = _with_consent(strict, url=chaos.url)
        homeserver.create(name, PASSWORD)
        chaos.add(Lose(), "POST", "/_matrix/consent$", times=1)
        with pytest.raises(Unreachable) as lost:
            homeserver.record_consent(name)
        assert lost.value.maybe_done

        homeserver.record_consent(name)

    assert _may_make_a_room(strict, name) == "yes"


def test_record_consent_without_a_thanks_page_is_still_recorded(strict: RealSynapse, homeserver: Synapse) -> None:
    name = new_name()
    homeserver.create(name, PASSWORD)
    thanks = Path(strict.config["user_consent"]["template_dir"]) / "en" / "success.html"
    text = thanks.read_text()
    thanks.unlink()
    strict.restart()  # it keeps the templates that it has read
    try:
        homeserver.record_consent(name)
    finally:
        thanks.write_text(text)

    assert _may_make_a_room(strict, name) == "yes"


def test_record_consent_of_nobody_is_account_missing(homeserver: Synapse) -> None:
    with pytest.raises(AccountMissing):
        homeserver.record_consent(new_name("nobody"))


def test_record_consent_with_a_wrong_secret_names_the_key(strict: RealSynapse) -> None:
    homeserver = _with_consent(strict, secret="not the one")

    with pytest.raises(Misconfigured) as error:
        homeserver.record_consent("maria")

    assert error.value.remedy.startswith("homeserver.consent.form_secret is wrong.")
    assert "not the one" not in repr(homeserver) + error.value.detail


def test_record_consent_without_the_keys_is_not_possible(strict: RealSynapse) -> None:
    homeserver = adapter(strict, "both")

    assert Capability.CONSENT not in homeserver.capabilities
    with pytest.raises(NotPossible) as error:
        homeserver.record_consent("maria")
    assert "homeserver.consent" in error.value.remedy


def test_probe_of_consent_that_works_is_sound_and_changes_nothing(strict: RealSynapse) -> None:
    with ChaosProxy(strict.url) as chaos:
        homeserver = replace(_with_consent(strict, url=chaos.url), shared_secret=None, admin_token=strict.admin_token)
        findings = homeserver.probe().findings
        asked = {seen.method for seen in chaos.seen}

    sentence = f"Who accepts the terms here is recorded at the homeserver, as version {VERSION}."
    assert sentence in [finding.sentence for finding in findings if finding.level is Level.OK]
    assert asked == {"GET"}


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"secret": "not the one"}, "homeserver.consent.form_secret is wrong."),
        ({"version": "9"}, "The homeserver has no terms of version 9."),
    ],
)
def test_probe_of_consent_that_is_set_up_wrongly_says_which_key(
    strict: RealSynapse, wrong: dict[str, str], remedy: str
) -> None:
    findings = _with_consent(strict, **wrong).probe().findings

    faults = [finding for finding in findings if finding.level is Level.FAULT]
    assert [fault.sentence for fault in faults] == ["That people accepted the terms cannot be recorded."]
    assert faults[0].remedy.startswith(remedy)


def test_probe_of_consent_at_a_server_without_it_says_how_to_set_it_up(synapse: RealSynapse) -> None:
    findings = _with_consent(synapse).probe().findings

    assert any("Add `consent` to the names" in finding.remedy for finding in findings)
