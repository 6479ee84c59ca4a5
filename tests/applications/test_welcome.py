"""What the rules of the moderators do to applications and joins."""

from __future__ import annotations

import pytest

from foyer.accounts import services as accounts
from foyer.accounts.services import JoinAttempt
from foyer.applications import flags, services
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.services import NewInvite
from foyer.notify.models import Delivery
from foyer.screening import services as rules
from foyer.screening.errors import EmailDomainNotWelcome, NameNotWelcome, NetworkNotWelcome, NotWelcome
from foyer.screening.models import About, Effect, Rule
from foyer.screening.services import NewRule
from tests.applications.acts import ANNA, ANSWERS, PASSWORD, begin, fresh, verified, waiting
from tests.applications.acts import accounts as made_accounts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def rule(about: str, pattern: str, effect: str = "refuse", comment: str = "") -> Rule:
    return rules.make(NewRule(About(about), Effect(effect), pattern, comment), actor=ANNA)


@pytest.mark.parametrize(
    ("about", "pattern", "refusal"),
    [
        ("name", "mar[i1]a", NameNotWelcome),
        ("domain", "example.net", EmailDomainNotWelcome),
        ("network", "2001:db8::/32", NetworkNotWelcome),
    ],
)
def test_start_that_a_rule_refuses_keeps_nothing_and_mails_nobody(
    about: str, pattern: str, refusal: type[NotWelcome]
) -> None:
    rule(about, pattern)

    with pytest.raises(refusal):
        begin(ip="2001:db8::1")
    assert (Application.objects.count(), Delivery.objects.count()) == (0, 0)


def test_rule_made_meanwhile_refuses_the_submit_and_the_answers_stay_unsent() -> None:
    application = verified()
    rule("domain", "example.net")

    with pytest.raises(EmailDomainNotWelcome):
        services.submit(application, ANSWERS, [], PASSWORD, PASSWORD)
    assert fresh(application).state == State.VERIFIED
    assert made_accounts() == {}


def test_rule_made_after_the_submit_lets_the_same_press_again_through() -> None:
    application = waiting()
    rule("name", "maria")

    services.submit(application, ANSWERS, [], PASSWORD, PASSWORD)
    assert fresh(application).state == State.WAITING


def test_corrected_email_and_chosen_name_are_asked_about_as_well() -> None:
    application = verified()
    rule("domain", "example.com")
    rule("name", "erika")

    with pytest.raises(EmailDomainNotWelcome):
        services.correct_email(application, "maria@example.com")
    with pytest.raises(NameNotWelcome):
        services.choose_name(application, "Er1ka")
    assert (fresh(application).localpart, fresh(application).email_wanted) == ("maria", "")


def test_rules_that_hold_or_flag_let_in_and_are_told_to_the_moderators() -> None:
    hold = rule("domain", "example.net", "hold", "throw-away mails")
    flag = rule("name", "m.*", "flag")

    application = waiting()

    assert application.is_flagged
    assert [it["code"] for it in application.flags] == ["rule-holds", "rule-flags"]
    assert [flags.phrase(it) for it in application.flags] == [
        f"held by rule {hold.id}: throw-away mails",
        f"rule {flag.id}: m.*",
    ]


def test_join_by_a_name_that_a_rule_refuses_spends_nothing(homeserver: MemoryHomeserver) -> None:
    rule("name", "admin")
    rule("name", "erika", "hold")
    invite = invites.create(NewInvite(uses_limit=2), actor=ANNA)

    with pytest.raises(NameNotWelcome):
        accounts.check_name(invite.code, "4dmin")
    with pytest.raises(NameNotWelcome):
        accounts.open_with_invite(JoinAttempt(invite.code, "4dmin", PASSWORD))
    invite.refresh_from_db()
    assert (invite.used, invite.held, homeserver.calls) == (0, 0, [])
    assert accounts.open_with_invite(JoinAttempt(invite.code, "erika", PASSWORD)).localpart == "erika"


def test_join_by_the_name_that_the_invitation_is_for_is_let_through() -> None:
    rule("name", "admin")
    invite = invites.create(NewInvite(localpart="admin"), actor=ANNA)

    assert accounts.open_with_invite(JoinAttempt(invite.code, "admin", PASSWORD)).localpart == "admin"
