"""Throw-away mailboxes: moderators see it; who wants to refuse them makes a rule."""

from __future__ import annotations

import subprocess
import sys

import pytest

from foyer.applications import flags, keys, services
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.actor import Actor
from foyer.screening import services as rules
from foyer.screening.disposable import provider
from foyer.screening.errors import EmailDomainNotWelcome
from foyer.screening.models import About, Effect
from foyer.screening.services import NewRule
from tests.applications.acts import begin, fresh, waiting
from tests.applications.conftest import OPEN
from tests.conftest import Configure


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("maria@mailinator.com", "mailinator.com"),
        ("maria@Mailinator.COM.", "mailinator.com"),
        ("maria@box.mailinator.com", "mailinator.com"),
        ("maria+tag@10minutemail.com", "10minutemail.com"),
        ("maria@example.net", ""),
        ("maria@mailinator.com.example.net", ""),
        ("maria@ourmailinator.example", ""),
        ("maria@com", ""),
        ("maria", ""),
        ("", ""),
        ("maria@gmail.com", ""),
        ("maria@posteo.de", ""),
    ],
)
def test_provider_is_found_by_its_domain_and_what_is_below(email: str, found: str) -> None:
    assert provider(email) == found


def test_list_is_loaded_only_when_an_email_is_looked_at() -> None:
    code = (
        "import sys, foyer.screening.disposable as d; assert 'disposable_email_domains' not in sys.modules; "
        "d.provider('a@b.c'); assert 'disposable_email_domains' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.django_db(transaction=True)
class TestApplications:
    @pytest.fixture(autouse=True)
    def door_is_open(self, configure: Configure, homeserver: MemoryHomeserver) -> None:
        configure(**OPEN)

    def test_application_from_a_throw_away_mailbox_is_flagged_and_goes_its_way(self) -> None:
        application = waiting("maria", "maria@mailinator.com")

        assert application.is_flagged
        assert [flags.phrase(flag) for flag in application.flags] == ["disposable mail provider: mailinator.com"]

    def test_rule_about_disposable_domains_refuses_them_all(self) -> None:
        rules.make(NewRule(About.DOMAIN, Effect.REFUSE, "disposable"), actor=Actor.staff("anna"))

        with pytest.raises(EmailDomainNotWelcome):
            begin("maria", "maria@mailinator.com")
        assert begin("maria", "maria@example.net").pk

    def test_corrected_email_is_looked_at_anew(self) -> None:
        application = waiting("maria", "maria@mailinator.com")
        services.correct_email(application, "maria@example.net")
        services.verify_by_code(fresh(application), keys.code(fresh(application)))

        assert not fresh(application).is_flagged
