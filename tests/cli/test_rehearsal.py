"""Rehearsals: the homeserver is read from, and nothing reaches it that would change anything."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from dev.proxy import ChaosProxy
from dev.synapse import Synapse
from foyer.cli.doctor import rehearsal
from tests.conftest import Configure
from tests.homeserver.dendrite_double import DendriteDouble
from tests.homeserver.mas_double import CLIENT_ID, CLIENT_SECRET
from tests.homeserver.mas_world import mas_world
from tests.homeserver.tuwunel_double import TuwunelDouble
from tests.homeserver.uia_world import dendrite_world, tuwunel_world, uia_world
from tests.support.server import running_foyer
from tests.support.smtp import Sink
from tests.support.synapse import homeserver_keys

RULES = {"title": "House rules", "url": "https://example.org/rules", "must_accept": True}
EVERYTHING = {
    "ways_in": ["invitation", "application"],
    "after": {"rooms": ["!lobby:localhost"], "welcome_message": "Welcome!"},
    "legal": [RULES],
}
SECRET = "/_synapse/admin/v1/register"
LOOK = "GET /_synapse/admin/v2/users/* (on paper)"
CHANGE = "PUT /_synapse/admin/v2/users/* (not sent)"
RESET = "POST /_synapse/admin/v1/reset_password/* (not sent)"
HOLDER = "GET /_synapse/admin/v1/threepid/email/users/*"


def told(configure: Configure, homeserver: dict[str, Any]) -> list[str]:
    config = configure(server_name="localhost", homeserver=homeserver, **EVERYTHING)
    found = list(rehearsal.look(config))
    assert {it.level for it in found} == {"ok"}, found
    return [it.sentence for it in found]


def only_reads(chaos: ChaosProxy) -> bool:
    return {seen.method for seen in chaos.seen} == {"GET"}


@pytest.mark.synapse
def test_doctor_rehearses_a_join_and_an_application_at_a_real_synapse(
    configure: Configure, synapse: Synapse, chaos: ChaosProxy
) -> None:
    before = len(synapse.users())
    consent = {"consent": {"version": "1", "form_secret": "f"}}

    said = told(configure, homeserver_keys(synapse, "both", url=chaos.url) | consent)

    assert said == [
        "Join: see whether the name is free: GET /_synapse/admin/v1/username_available.",
        "Join: read the rules for passwords: GET /_matrix/client/v3/password_policy.",
        f"Join: make the account: GET {SECRET}, POST {SECRET} (not sent).",
        "Join: put them into !lobby:localhost: POST /_synapse/admin/v1/join/* (not sent).",
        "Join: record that they accepted the terms: POST /_matrix/consent (not sent).",
        "Join: say the welcome: PUT /_synapse/admin/v1/send_server_notice/* (not sent).",
        "Application: see whether the name is free: GET /_synapse/admin/v1/username_available.",
        "Application: read the rules for passwords: GET /_matrix/client/v3/password_policy.",
        f"Application: make the account, locked: GET {SECRET}, POST {SECRET} (not sent), {CHANGE}, {RESET}.",
        f"Application: after a yes, unlock it: {LOOK}, {CHANGE}.",
        f"Application: attach the confirmed email: {LOOK}, {HOLDER}, {CHANGE}, {HOLDER}.",
        "Application: put them into !lobby:localhost: POST /_synapse/admin/v1/join/* (not sent).",
        "Application: record that they accepted the terms: POST /_matrix/consent (not sent).",
        "Application: say the welcome: PUT /_synapse/admin/v1/send_server_notice/* (not sent).",
    ]
    assert only_reads(chaos)
    assert len(synapse.users()) == before


@pytest.mark.synapse
def test_doctor_rehearses_with_a_token_alone_the_claim_first(
    configure: Configure, synapse: Synapse, chaos: ChaosProxy
) -> None:
    said = told(configure, homeserver_keys(synapse, "token", url=chaos.url))

    assert f"Join: make the account: {CHANGE}, {RESET}." in said
    assert only_reads(chaos)


@pytest.mark.parametrize("kind", ["uia", "dendrite", "tuwunel", "mas"])
def test_doctor_rehearses_at_every_other_kind_with_reads_alone(configure: Configure, kind: str) -> None:
    with ExitStack() as stack:
        keys, chaos, made = _elsewhere(kind, stack)
        said = told(configure, {"kind": kind, **keys})

    assert any(sentence.startswith("Join: make the account: ") and made in sentence for sentence in said)
    yes = "after a yes, unlock it" if kind == "mas" else "after a yes, mail a link where the password is chosen"
    assert any(sentence.startswith(f"Application: {yes}") for sentence in said)
    assert only_reads(chaos)
    assert not any("secret" in sentence or "rehearsal-" in sentence for sentence in said)


def _elsewhere(kind: str, stack: ExitStack) -> tuple[dict[str, Any], ChaosProxy, str]:
    """Return the keys, the proxy before the server, and the request that would make the account."""
    if kind == "mas":
        mas = stack.enter_context(mas_world("client"))
        inside = mas.homeserver
        keys = {"url": inside.client.url, "mas": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}}
        keys["mas"]["url"] = inside.mas_client.url  # type: ignore[index]
        synapse = stack.enter_context(ChaosProxy(inside.client.url))
        return {**keys, "url": synapse.url}, synapse, "POST /api/admin/v1/users (not sent)"
    if kind == "uia":
        uia = stack.enter_context(uia_world())
        keys = {"url": uia.chaos.url, "registration_token": "conduit-token-of-ours"}
        return keys, uia.chaos, "POST /_matrix/client/v3/register (not sent), POST /_matrix/client/v3/register (not"
    if kind == "dendrite":
        dendrite = stack.enter_context(dendrite_world())
        assert isinstance(dendrite.double, DendriteDouble)
        keys = {"url": dendrite.chaos.url, "registration_shared_secret": dendrite.double.shared_secret}
        return keys, dendrite.chaos, "POST /_synapse/admin/v1/register (not sent)"
    tuwunel = stack.enter_context(tuwunel_world("both"))
    assert isinstance(tuwunel.double, TuwunelDouble)
    keys = {"url": tuwunel.chaos.url, "registration_shared_secret": tuwunel.double.shared_secret}
    keys["admin_token"] = tuwunel.double.admin_token
    return keys, tuwunel.chaos, "POST /_synapse/admin/v1/register (not sent)"


def test_doctor_rehearses_and_says_where_it_would_fail(configure: Configure) -> None:
    config = configure(homeserver={"url": "http://127.0.0.1:9", "registration_shared_secret": "s"})

    found = list(rehearsal.look(config))

    assert [it.level for it in found] == ["fault", "fault"]  # each journey ends there
    assert found[0].sentence.startswith("Join: see whether the name is free: The homeserver did not answer.")


@pytest.mark.synapse
def test_doctor_rehearse_on_the_command_line_sends_nothing_that_changes(
    tmp_path: Path, synapse: Synapse, chaos: ChaosProxy
) -> None:
    keys = homeserver_keys(synapse, "both", url=chaos.url)
    with running_foyer(tmp_path, homeserver=keys, server_name="localhost", start=False) as foyer:
        foyer.write_config()
        findings = json.loads(foyer.cli("doctor", "--rehearse", "--json", check=False).stdout)["findings"]

    steps = [it["sentence"] for it in findings if it["about"] == "Rehearsal"]
    assert any(step.startswith("Join: make the account: ") for step in steps)
    assert only_reads(chaos)


@pytest.mark.synapse
def test_serve_dry_run_goes_all_the_way_and_only_reads(tmp_path: Path, synapse: Synapse, chaos: ChaosProxy) -> None:
    sink = Sink()
    sink.start()
    name, code = f"maria-{secrets.token_hex(4)}", "DoubleWizardSki"
    before = len(synapse.users())
    keys = homeserver_keys(synapse, "both", url=chaos.url)
    with running_foyer(
        tmp_path,
        homeserver=keys,
        server_name="localhost",
        ways_in=["invitation", "application"],
        email={"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "join@example.org"},
        moderators={"emails": ["team@example.org"]},
        after={"rooms": ["#lobby:localhost"], "welcome_message": "Welcome!"},
    ) as foyer:
        foyer.invite("--code", code)
        foyer.stop()
        chaos.clear()
        foyer.arguments = ("--dry-run",)
        foyer.start()

        page = _get(f"{foyer.url}/register?token={code}")
        form = {"token": code, "username": name, "password": "correct horse 1", "confirm": "correct horse 1"}
        answer = json.loads(_post(f"{foyer.url}/register", form))
        applying = _get(f"{foyer.url}/apply")
        _wait_for(lambda: f"would say 'Welcome!' to the account {name}" in foyer.log)
        foyer.stop()
        log = foyer.log

    assert "<strong>Rehearsal.</strong> Nothing is changed at the homeserver" in page
    assert "<strong>Rehearsal.</strong>" in applying
    assert (answer["user_id"], answer["status"]) == (f"@{name}:localhost", "success")
    assert f"would make the account {name}" in log
    assert f"would put into #lobby:localhost the account {name}" in log
    assert "correct horse 1" not in log
    assert only_reads(chaos)
    assert len(synapse.users()) == before
    with closing(sqlite3.connect(foyer.folder / "foyer.sqlite3")) as kept:
        assert kept.execute("SELECT used, held FROM invites_invite").fetchall() == [(0, 0)]
    sink.stop()
    assert sink.taken == []


def _get(url: str) -> str:
    with urlopen(Request(url, headers={"Accept": "text/html"}), timeout=60) as answer:
        return str(answer.read().decode())


def _post(url: str, form: dict[str, str]) -> str:
    with urlopen(url, data=urlencode(form).encode(), timeout=60) as answer:
        return str(answer.read().decode())


def _wait_for(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
