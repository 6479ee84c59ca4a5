from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from foyer.audit.models import Event
from foyer.kit.actor import Actor
from foyer.kit.client_ip import ClientAddress
from foyer.kit.clock import now
from foyer.screening import queries, services
from foyer.screening.errors import EmailDomainNotWelcome, EmailNotWelcome, NameNotWelcome, NetworkNotWelcome, NotWelcome
from foyer.screening.models import About, Effect, Rule
from foyer.screening.rule_errors import ExpiryPast, PatternBroken, RuleEnded, RuleUnknown
from foyer.screening.services import NewRule
from foyer.screening.verdicts import verdict

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ANNA = Actor.staff("anna")


def rule(pattern: str, about: str = "name", effect: str = "refuse", **more: object) -> Rule:
    wanted = NewRule(About(about), Effect(effect), pattern, **more)  # type: ignore[arg-type]
    return services.make(wanted, actor=ANNA)


def refusal(**attempt: object) -> type[NotWelcome] | None:
    try:
        verdict(**attempt).require_welcome()  # type: ignore[arg-type]
    except NotWelcome as error:
        return type(error)
    return None


def client(ip: str, *, is_known: bool = True) -> ClientAddress:
    return ClientAddress(ip, is_known=is_known)


@pytest.mark.parametrize("name", ["admin", "4dm1n", "a.d-min", "adrnin", "admln", "Admin", "a_d_m_1_n"])
def test_name_that_looks_like_the_pattern_is_refused(name: str) -> None:
    rule("admin")

    assert refusal(name=name) is NameNotWelcome


@pytest.mark.parametrize("name", ["administrator", "badmin", "maria", ""])
def test_name_that_only_begins_or_ends_like_the_pattern_is_welcome(name: str) -> None:
    rule("admin")

    assert refusal(name=name) is None


@pytest.mark.parametrize(
    ("pattern", "hit", "miss"),
    [
        (".*adm[i1]n.*", "the-4dm1n-2", "andrea"),
        (r".*\d{6,}", "maria20261122", "vegetables"),
        ("(?:free|cheap)coins?", "fr33-c0in", "freecoinage"),
        (r".*\.bot", "news.b0t", "robot"),
        ("аdmin", "admin", "adamina"),  # the first letter is Cyrillic
        ("[0o]ff[il]ce", "0ffice", "offce"),
        ("x{3,5}", "xxxx", "xx"),
        ("^barney$", "barney", "barneys"),
    ],
)
def test_name_expressions(pattern: str, hit: str, miss: str) -> None:
    rule(pattern)

    assert (refusal(name=hit), refusal(name=miss)) == (NameNotWelcome, None)


@pytest.mark.parametrize("email", ["spam@example.net", "Spam@Example.net", "spam+more@example.net"])
def test_email_is_matched_whole_without_its_tag(email: str) -> None:
    rule(r"spam@example\.net", "email")

    assert refusal(email=email) is EmailNotWelcome
    assert refusal(email="nospam@example.net") is None


@pytest.mark.parametrize("typed", ["example.com", "@Example.com", "*.example.com", " example.com. ", "x@example.com"])
def test_domain_covers_what_is_below_it(typed: str) -> None:
    assert rule(typed, "domain").pattern == "example.com"

    assert refusal(email="a@example.com") is EmailDomainNotWelcome
    assert refusal(email="a@mail.Example.COM") is EmailDomainNotWelcome
    assert refusal(email="a@notexample.com") is None
    assert refusal(email="") is None


def test_domain_of_another_alphabet_is_matched_in_either_spelling() -> None:
    rule("bücher.example", "domain")

    assert refusal(email="a@xn--bcher-kva.example") is EmailDomainNotWelcome
    assert refusal(email="a@bücher.example") is EmailDomainNotWelcome


@pytest.mark.parametrize(
    ("typed", "kept", "hit", "miss"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.9", "192.0.3.9"),
        ("192.0.2.77/24", "192.0.2.0/24", "192.0.2.1", "2001:db8::1"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("2001:db8::/32", "2001:db8::/32", "2001:db8:1::9", "2001:db9::1"),
    ],
)
def test_network(typed: str, kept: str, hit: str, miss: str) -> None:
    assert rule(typed, "network").pattern == kept

    assert refusal(client=client(hit)) is NetworkNotWelcome
    assert refusal(client=client(miss)) is None


def test_client_that_is_not_known_is_matched_by_no_network() -> None:
    rule("127.0.0.0/8", "network")

    assert refusal(client=client("127.0.0.1", is_known=False)) is None
    assert refusal(client=None) is None


def test_verdict_tells_refusing_holding_and_flagging_rules_apart() -> None:
    refuse, hold = rule("maria"), rule("example.net", "domain", "hold")
    flag, other = rule("m.*", effect="flag"), rule("192.0.2.0/24", "network", "flag")

    said = verdict(name="maria", email="m@example.net", client=client("192.0.2.1"))

    assert (said.refused_by, said.held_by, said.flags) == (refuse, (hold,), (flag, other))
    assert verdict(name="erika").refused_by is None


def test_rule_that_expired_or_was_ended_does_nothing() -> None:
    soon, ended = rule("maria", expires_at=now() + timedelta(days=1)), rule("erika")
    assert services.end(ended.id, actor=ANNA)
    assert not services.end(ended.id, actor=ANNA)

    assert (refusal(name="maria"), refusal(name="erika")) == (NameNotWelcome, None)
    assert queries.live() == [soon]
    with time_machine.travel(now() + timedelta(days=2)):
        assert refusal(name="maria") is None
        assert queries.live() == []
        assert [it.id for it in queries.over()] == [ended.id, soon.id]
        assert [it.id for it in queries.over(before=ended.id)] == [soon.id]


def test_edit_changes_what_is_matched_and_an_ended_rule_stays_as_it_was() -> None:
    made = rule("maria", comment="first")
    changed = services.edit(made.id, NewRule(About.NAME, Effect.FLAG, "erika", "second"), actor=ANNA)
    services.edit(made.id, NewRule(About.NAME, Effect.FLAG, "erika", "second"), actor=ANNA)

    assert (changed.pattern, changed.effect, changed.comment) == ("erika", "flag", "second")
    assert refusal(name="maria") is None
    services.end(made.id, actor=ANNA)
    with pytest.raises(RuleEnded):
        services.edit(made.id, NewRule(About.NAME, Effect.FLAG, "otto"), actor=ANNA)
    with pytest.raises(RuleUnknown):
        services.edit(made.id + 1, NewRule(About.NAME, Effect.FLAG, "otto"), actor=ANNA)
    with pytest.raises(RuleUnknown):
        services.end(made.id + 1, actor=ANNA)


def test_audit_keeps_who_did_what_and_no_pattern() -> None:
    made = rule(r"maria@example\.net", "email", comment="Maria was rude")
    services.edit(made.id, NewRule(About.EMAIL, Effect.HOLD, r"maria@example\.net"), actor=ANNA)
    services.end(made.id, actor=ANNA)

    rows = Event.objects.filter(subject_kind="rule", subject_id=str(made.id)).order_by("id")
    assert [(it.verb, it.actor, it.facts) for it in rows] == [
        ("rule.made", "staff:anna", {"about": "email", "effect": "refuse"}),
        ("rule.edited", "staff:anna", {"changed": ["comment", "effect"]}),
        ("rule.ended", "staff:anna", {}),
    ]


def test_rule_that_cannot_be_kept_leaves_nothing_behind() -> None:
    with pytest.raises(PatternBroken):
        rule("(admin")
    with pytest.raises(ExpiryPast):
        rule("admin", expires_at=now() - timedelta(seconds=1))

    assert Rule.objects.count() == 0
    assert Event.objects.count() == 0


@pytest.mark.parametrize("about", ["name", "email", "network"])
def test_rule_that_cannot_be_read_any_more_closes_no_door(about: str) -> None:
    Rule.objects.create(about=about, effect="refuse", pattern="((", created_by="import")
    rule("erika")

    attempt = {"name": "maria", "email": "m@example.net", "client": client("192.0.2.1")}
    assert refusal(**attempt) is None
    assert refusal(**{**attempt, "name": "erika"}) is NameNotWelcome
