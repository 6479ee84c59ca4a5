"""What stands out about an application, for the moderators' eyes. A flag decides nothing.

A flag is {"code": …, "params": {…}} with plain values.

| code             | params                                                                        |
|------------------|-------------------------------------------------------------------------------|
| denied-name      | on: the date (ISO) of the latest denial of a name that looks like this one    |
| denied-email     | on: the date (ISO) of the latest denial of this mailbox                       |
| disposable       | domain: of the provider of throw-away mailboxes                               |
| subnet-busy      | count: applications from this subnet within a day                             |
| looks-like       | name: the name of the house that this one could be taken for                  |
| name-resembles   | count: how many other applications under way have a name that looks like it   |
| rule-holds       | rule: its number; comment: what its maker wrote                               |
| rule-flags       | rule: its number; comment: what its maker wrote                               |
| rule-refuses     | rule: its number; comment; the rule is newer than the request                 |
| trap-filled      | the form came back with something in a field that people do not see            |
| sent-at-once     | the form came back sooner than anybody types, or was never opened              |
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from foyer.applications import welcome
from foyer.applications.models import Application, DenialDigest
from foyer.applications.statements import COUNT_ALIKE, COUNT_OF_SUBNET, DENIED, KEEP_FLAGS
from foyer.config import current
from foyer.kit.clock import now
from foyer.kit.codes import keyed_digest
from foyer.kit.folding import skeleton
from foyer.screening import disposable

SUBNET_IS_BUSY_FROM = 3
OF_THE_HOUSE = ("admin", "administrator", "root", "support", "moderator", "abuse", "security", "postmaster", "help")

# What a door noticed about the form. It is known only then, so it stays when the others are looked for again.
OF_THE_FORM = ("trap-filled", "sent-at-once")

Flag = dict[str, Any]


def of(application: Application) -> list[Flag]:
    """Return what stands out. Three or four small questions to the tables."""
    found = [
        _denied("denied-name", DenialDigest.Kind.NAME, application.skeleton),
        _denied("denied-email", DenialDigest.Kind.EMAIL, application.mailbox),
        _disposable(application),
        _subnet(application),
        _house(application),
        _resembles(application),
    ]
    kept = [flag for flag in application.flags if flag["code"] in OF_THE_FORM]
    return [*(flag for flag in found if flag is not None), *_by_rules(application), *kept]


def with_traps(known: list[Flag], traps: Collection[str]) -> list[Flag]:
    """Return the flags, and one for each trap that a form has sprung."""
    codes = {flag["code"] for flag in known}
    return [*known, *({"code": code, "params": {}} for code in OF_THE_FORM if code in traps and code not in codes)]


def raise_for(application: Application) -> None:
    """Note what stands out, as it is now. Call where the row was read, or locked, in this transaction."""
    look(application)
    KEEP_FLAGS(application)


def look(application: Application) -> None:
    """Put what stands out on the row, which the caller writes."""
    application.flags = of(application)
    application.is_flagged = bool(application.flags)


def phrase(flag: Flag) -> str:
    """Return a flag in words, in the active language."""
    phrases = {
        "denied-name": gettext("a name like this was denied on %(on)s"),
        "denied-email": gettext("this email was denied on %(on)s"),
        "disposable": gettext("disposable mail provider: %(domain)s"),
        "subnet-busy": gettext("%(count)s requests from this network within a day"),
        "looks-like": gettext("the name looks like %(name)s"),
        "name-resembles": gettext("the name looks like that of another request"),
        "rule-holds": gettext("held by rule %(rule)s: %(comment)s"),
        "rule-flags": gettext("rule %(rule)s: %(comment)s"),
        "rule-refuses": gettext("refused by rule %(rule)s, which is newer: %(comment)s"),
        "trap-filled": gettext("a field was filled in that people do not see"),
        "sent-at-once": gettext("the form was sent sooner than anybody types"),
    }
    code = str(flag["code"])
    text: str = phrases.get(code, code) % flag.get("params", {})
    return text


def remember_denied(application: Application) -> None:
    """Keep the digests of a denied name and mailbox, for `retention.denial_digests`."""
    moment = now()
    DenialDigest.objects.bulk_create(
        DenialDigest(kind=kind, digest=digest, at=moment) for kind, digest in _digests(application)
    )


def forget_denied(application: Application) -> None:
    """A denial was taken back: forget the newest digest of each kind."""
    for kind, digest in _digests(application):
        newest = DenialDigest.objects.filter(kind=kind, digest=digest).order_by("-id").first()
        if newest is not None:
            newest.delete()


def digest_of(kind: DenialDigest.Kind, folded: str) -> str:
    """Return the digest of a folded name or mailbox."""
    return keyed_digest(settings.SECRET_KEY, f"denied-{kind.value}", folded)


def _digests(application: Application) -> list[tuple[DenialDigest.Kind, str]]:
    folded = {DenialDigest.Kind.NAME: application.skeleton, DenialDigest.Kind.EMAIL: application.mailbox}
    return [(kind, digest_of(kind, text)) for kind, text in folded.items() if text]


def _denied(code: str, kind: DenialDigest.Kind, folded: str) -> Flag | None:
    if not folded:
        return None
    denial = DENIED.first(kind.value, digest_of(kind, folded))
    return {"code": code, "params": {"on": denial.at.date().isoformat()}} if denial else None


def _by_rules(application: Application) -> list[Flag]:
    said = welcome.of(application)
    refusing = [] if said.refused_by is None else [said.refused_by]
    codes = (("rule-refuses", refusing), ("rule-holds", said.held_by), ("rule-flags", said.flags))
    return [
        {"code": code, "params": {"rule": rule.pk, "comment": rule.comment or rule.pattern}}
        for code, rules in codes
        for rule in rules
    ]


def _disposable(application: Application) -> Flag | None:
    domain = disposable.provider(application.email)
    return {"code": "disposable", "params": {"domain": domain}} if domain else None


def _subnet(application: Application) -> Flag | None:
    if not application.subnet:
        return None
    count = COUNT_OF_SUBNET(application.subnet, now() - timedelta(days=1))
    return {"code": "subnet-busy", "params": {"count": count}} if count >= SUBNET_IS_BUSY_FROM else None


def _house(application: Application) -> Flag | None:
    names = {skeleton(name): name for name in (*OF_THE_HOUSE, *current().usernames.reserved)}
    name = names.get(application.skeleton)
    return {"code": "looks-like", "params": {"name": name}} if name else None


def _resembles(application: Application) -> Flag | None:
    if not application.skeleton:
        return None
    count = COUNT_ALIKE(application.skeleton, application.id)
    return {"code": "name-resembles", "params": {"count": count}} if count else None
