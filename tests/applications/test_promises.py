"""What synapse_registration's manual promises, as far as Foyer keeps it: one test for each promise.

Kept elsewhere: servers such as uWSGI in tests/deploy/test_wsgi_servers.py, the columns, filters and search of the admin
in tests/web/admin/, holding with an admin's token alone on a real Synapse in tests/accounts/test_hold.py.
"""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from dev import processes
from foyer.accounts.models import Account
from foyer.applications import decisions, keys, retention, services
from foyer.applications.models import Application, State
from foyer.cli.dispatch import run
from foyer.cli.doctor import configuration as doctor
from foyer.config.errors import ConfigError
from foyer.config.load import check
from foyer.config.schema import Config
from foyer.config.secret import kept_key
from foyer.homeserver.memory import MemoryHomeserver
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.client_ip import client_ip
from foyer.kit.clock import now
from foyer.staff import services as staff
from tests.applications import acts
from tests.applications.conftest import OPEN
from tests.conftest import VALUES, Configure
from tests.support.server import command, environment, running_foyer
from tests.support.smtp import Sink, sink

__all__ = ["sink"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ROOT = Path(__file__).resolve().parents[2]
ADMINS_PASSWORD = "lantern orchard willow"


def config(**keys: Any) -> Config:
    return check({**VALUES, **keys})


def send_mails() -> None:
    """Send what became due until now, and a minute and a half from now on."""
    with time_machine.travel(now() + timedelta(seconds=90)):
        Worker().run_until_idle("mail")


@pytest.fixture
def visitor(settings: Settings) -> Client:
    """A browser at the public door."""
    settings.ROOT_URLCONF = "foyer.urls"
    return Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")


@pytest.fixture
def admin(settings: Settings) -> Client:
    """The browser of an admin who is signed in."""
    settings.ROOT_URLCONF = "foyer.urls"
    cache.clear()
    staff.create("bert", "admin", password=ADMINS_PASSWORD, actor=Actor.command_line())
    client = Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    client.post("/desk/sign-in", {"login": "bert", "password": ADMINS_PASSWORD})
    return client


@pytest.fixture
def mail_server(sink: Sink, configure: Configure) -> Sink:
    """A mail server that Foyer is configured to use."""
    sink.start()
    configure(**{**OPEN, "email": {**OPEN["email"], "port": sink.port, "security": "none"}})
    return sink


# pip install, cp config.dist.yaml config.yaml, edit, migrate, createsuperuser, runserver


def test_the_first_evening_goes_as_people_know_it(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        text = (ROOT / "foyer.dist.yaml").read_text(encoding="utf-8")
        text = text.replace("public_url: https://join.example.org", f"public_url: {foyer.url}")
        text = text.replace("# listen: 127.0.0.1:5000", f"listen: 127.0.0.1:{foyer.port}")
        foyer.config_path.write_text(text, encoding="utf-8")

        foyer.cli("migrate")
        foyer.cli("createsuperuser", "bert", "--password-stdin", stdin=ADMINS_PASSWORD + "\n")
        people = foyer.cli("staff", "list").stdout
        assert "bert" in people
        assert "admin" in people

        arguments = command("--config", str(foyer.config_path), "runserver")
        foyer.process = processes.spawn(arguments, log=foyer.log_path, cwd=foyer.folder, env=environment())
        processes.wait_until(foyer.answers, foyer.process, log=foyer.log_path, seconds=60)


# works with an admin token alone


def test_every_step_works_with_an_admins_token_alone(homeserver: MemoryHomeserver) -> None:
    homeserver.has_secret = False
    application = acts.approved(acts.waiting())
    assert application.state == State.DONE
    assert homeserver.password_is_right("maria", acts.PASSWORD)


# step 1 name, step 2 address (mail), step 3 password and reason, step 4 wait


def test_steps_are_the_same_four_and_the_third_ends_with_the_password(visitor: Client) -> None:
    first = visitor.post("/apply", {"username": "maria"})
    assert first.headers["Location"].startswith("apply/email?")
    visitor.post("/apply/email", {"username": "maria", "email": "maria@example.net"})
    application = Application.objects.get()
    place = f"/apply/{keys.status_key(application)}"
    visitor.post(f"{place}/verify", {"code": keys.code(application)})
    fields = re.findall(r'<(?:input|textarea)[^>]* name="([\w-]+)"', visitor.get(f"{place}/about").content.decode())
    shown = [name for name in fields if name in {"q-reason", "password", "confirm"}]
    assert shown[0] == "q-reason"
    assert shown[1] == "password"
    typed = {"q-reason": acts.ANSWERS["reason"], "password": acts.PASSWORD, "confirm": acts.PASSWORD}
    visitor.post(f"{place}/about", typed)
    assert acts.fresh(application).state == State.WAITING
    assert "Your request is being reviewed" in visitor.get(place).content.decode()


# debug


def test_debug_is_no_key_and_the_refusal_names_the_one_that_is() -> None:
    with pytest.raises(ConfigError, match=r"log\.level"):
        config(debug=True)
    assert config(log={"level": "debug"}).log.level == "debug"


# secret_key, random when not set


def test_secret_key_is_made_once_for_sqlite_and_asked_for_by_postgresql(tmp_path: Path) -> None:
    key = kept_key(tmp_path / "foyer.sqlite3")
    assert kept_key(tmp_path / "foyer.sqlite3") == key
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="secret_key"):
        config(secret_key=None, database="postgresql://foyer:word@db.example.org/foyer")


# hosts, at least one; the first is the site's own


def test_hosts_are_further_names_and_another_is_refused_with_the_remedy() -> None:
    known = config(public_url="https://join.example.org", hosts=["door.example.org"]).allowed_hosts
    assert {"join.example.org", "door.example.org", "localhost", "127.0.0.1"} <= set(known)
    answer = Client().get("/", HTTP_HOST="elsewhere.example.org", HTTP_ACCEPT="text/html")
    assert answer.status_code == 400
    assert b"hosts in foyer.yaml" in answer.content


# synapse.server, domain, verify_cert (bool or CA bundle)


def test_synapse_block_has_its_keys_here(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text((ROOT / "tests" / "support" / "certificates" / "ca.pem").read_text())
    for wanted in (True, False, str(bundle)):
        server = {"url": "https://matrix.example.org", "admin_token": "not-asked", "verify_tls": wanted}
        made = config(homeserver=server, server_name="example.org")
        assert (made.server_name, made.homeserver.url) == ("example.org", "https://matrix.example.org")
        assert str(made.homeserver.verify_tls) == str(wanted)


# email.host/port/username/password, tls, ssl, from (defaults to username)


def test_email_comes_from_the_user_name_and_is_not_needed_for_invitations_alone() -> None:
    for security in ("starttls", "tls", "none"):
        block = {"host": "mail.example.org", "username": "join@example.org", "password": "x", "security": security}
        assert config(email=block).email.sender == "join@example.org"
    assert config(ways_in=["invitation"]).open_ways == ("invitation",)


# admin.email required


def test_door_for_applications_opens_only_with_mail_and_a_moderator() -> None:
    mail, moderator = {"email": OPEN["email"]}, {"moderators": {"emails": ["anna@example.org"]}}
    room = {"moderators": {"room": "#team:example.org"}}
    assert config(**mail, **moderator).open_ways == ("invitation", "application")
    assert config(**mail, **room).open_ways == ("invitation", "application")
    for given, lacking in (({}, ("email.host", "moderators.emails")), (mail, ("moderators.emails",))):
        made = config(**given)
        assert made.open_ways == ("invitation",)
        assert made.application_lacks == lacking
        found = " ".join(f"{it.sentence} {it.remedy}" for it in doctor.look(made))
        assert all(key in found for key in lacking)


# trust_proxy, which may be true


def test_trust_proxy_true_means_loopback_and_private_networks() -> None:
    trusted = config(trusted_proxies=True).trusted_networks
    assert client_ip("127.0.0.1", "198.51.100.9", trusted).ip == "198.51.100.9"
    assert client_ip("10.0.0.3", "203.0.113.1, 198.51.100.9", trusted).ip == "198.51.100.9"
    assert client_ip("192.0.2.7", "198.51.100.9", trusted).ip == "192.0.2.7"


# auto_join


def test_rooms_are_joined_once_the_account_is_open(homeserver: MemoryHomeserver) -> None:
    assert config().after.rooms == ()
    application = acts.waiting()
    assert homeserver.accounts["maria"].rooms == []
    acts.approved(application)
    acts.let_time_pass(10)
    assert homeserver.accounts["maria"].rooms == ["!1:example.test"]


# legal


def test_legal_texts_are_links_and_need_not_be_accepted(visitor: Client, configure: Configure) -> None:
    configure(**OPEN, legal=[{"title": "Rules", "url": "https://example.org/rules"}])
    application = acts.verified()
    page = visitor.get(f"/apply/{keys.status_key(application)}/about").content.decode()
    assert 'href="https://example.org/rules"' in page
    assert acts.submit(application).state == State.WAITING


# retention.started 2 days, retention.completed 30 days; automatic, and cleanup


def test_retention_has_the_same_defaults() -> None:
    assert (config().retention.unverified, config().retention.decided) == (timedelta(days=2), timedelta(days=30))


@pytest.mark.parametrize("by", ["schedule", "cleanup"])
def test_retention_deletes_what_is_over_and_nothing_that_waits(by: str) -> None:
    started, waiting = acts.begin("tom", "tom@example.net"), acts.waiting("eva", "eva@example.net")
    decided = acts.waiting("paul", "paul@example.net")
    decisions.approve(decided.id, acts.ANNA)  # and nobody opens it
    done, denied = acts.approved(acts.waiting()), acts.denied(acts.waiting("carl", "carl@example.net"))
    withdrawn = acts.waiting("zoe", "zoe@example.net")
    services.withdraw(withdrawn)
    with time_machine.travel(now() + timedelta(days=31)):
        if by == "schedule":
            retention.run()
        else:
            assert run(["cleanup"]) == 0
    assert acts.fresh(started).state == State.EXPIRED
    assert acts.fresh(waiting).state == State.WAITING
    assert acts.fresh(decided).state == State.APPROVED
    assert not Application.objects.filter(id__in=[done.id, denied.id, withdrawn.id]).exists()
    account = Account.objects.get(localpart="maria")
    assert (account.state, account.ip) == ("open", None)
    kept = acts.everything_in_tables()
    for gone in ("maria@example.net", "carl@example.net", "zoe@example.net", "tom@example.net"):
        assert gone not in kept


# database.path


def test_database_may_be_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config(database="sqlite:///db.sqlite3").database.path == tmp_path / "db.sqlite3"


# Django admin: set the status to Approved or Denied, save: the account is enabled and a mail goes out


def test_status_approved_in_the_admin_enables_the_account_and_mails(
    admin: Client, homeserver: MemoryHomeserver, mail_server: Sink
) -> None:
    application = acts.waiting()
    path = f"/admin/applications/application/{application.id}/change/"
    saved = admin.post(path, {"status": "approved", "notify": "on", "mod_message": "Welcome!"})
    assert saved.status_code == 302
    acts.let_time_pass(65)
    assert acts.fresh(application).state == State.DONE
    assert homeserver.password_is_right("maria", acts.PASSWORD)
    send_mails()
    bodies = [
        str(body.get_content()) for it in mail_server.taken if (body := it.message.get_body(("plain",))) is not None
    ]
    assert sum("Welcome!" in body for body in bodies) == 1


def test_status_denied_in_the_admin_mails_and_gives_the_name_back(admin: Client, mail_server: Sink) -> None:
    application = acts.waiting()
    path = f"/admin/applications/application/{application.id}/change/"
    admin.post(path, {"status": "denied", "notify": "on", "mod_message": "We are full."})
    acts.let_time_pass(65)
    send_mails()
    assert acts.fresh(application).state == State.DENIED
    assert any("We are full." in it.message.as_string() for it in mail_server.taken)
    assert acts.waiting("maria", "other@example.net").state == State.WAITING


@pytest.mark.parametrize("status", ["started", "requested", "completed"])
def test_any_other_status_in_the_admin_is_refused_with_a_sentence(admin: Client, status: str) -> None:
    application = acts.waiting()
    answer = admin.post(f"/admin/applications/application/{application.id}/change/", {"status": status})
    assert b"Only Approved and Denied can be chosen here" in answer.content
    assert acts.fresh(application).state == State.WAITING


# the domain shows the registration form


def test_with_one_way_in_the_landing_page_is_its_first_step(visitor: Client, configure: Configure) -> None:
    configure(**OPEN, ways_in=["application"])
    page = visitor.get("/").content.decode()
    assert 'name="username"' in page
    assert "apply" in page


# old paths


@pytest.mark.parametrize("path", ["/check-username/", "/email-input/", "/check-username"])
def test_old_paths_of_the_form_lead_to_its_first_step(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 303
    assert urljoin(path, answer.headers["Location"]) == "/apply"


@pytest.mark.parametrize("path", ["/verify-email/3f2a/", "/set-password/3f2a/", "/complete-registration/"])
def test_old_links_in_mails_are_explained_kindly_and_change_nothing(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 410
    assert b"This link no longer works" in answer.content
    assert b'href="../../apply' in answer.content or b"/apply" in answer.content
    assert Application.objects.count() == 0
