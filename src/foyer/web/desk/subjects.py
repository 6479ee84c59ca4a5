"""Whom or what an event is about, by name. The audit keeps numbers only; what is erased has no name any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from foyer.accounts.models import Account
from foyer.applications.models import Application
from foyer.audit.models import Event
from foyer.config import current
from foyer.invites.models import Invite
from foyer.kit.matrix import mxid
from foyer.staff.models import Staff

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What it is called, and the page of the desk that shows it; empty: there is none."""

    name: str
    path: str = ""


def subjects_of(events: Iterable[Event]) -> dict[Key, Subject]:
    """Return (kind, id) → what it is, with one question to each table."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        ids[event.subject_kind].add(event.subject_id)
    found = {(kind, one): Subject(_unnamed(kind, one)) for kind, some in ids.items() for one in some}
    server = current().server_name
    for pk, localpart in Application.objects.filter(id__in=_numbers(ids["application"])).values_list("id", "localpart"):
        name = mxid(localpart, server) if localpart else _("request %(number)s") % {"number": pk}
        found[("application", str(pk))] = Subject(name, f"desk/requests/{pk}")
    for pk, localpart in Account.objects.filter(id__in=_numbers(ids["account"])).values_list("id", "localpart"):
        found[("account", str(pk))] = Subject(mxid(localpart, server), f"desk/people?q={localpart}")
    for invite in Invite.objects.filter(id__in=_numbers(ids["invite"])):
        found[("invite", str(invite.pk))] = Subject(invite.label or invite.code, f"desk/invitations/{invite.pk}")
    for pk, name in Staff.objects.filter(id__in=_numbers(ids["staff"])).values_list("id", "username"):
        found[("staff", str(pk))] = Subject(name)
    for number in _numbers(ids["rule"]):
        found[("rule", str(number))] = Subject(_("rule %(number)s") % {"number": number}, f"desk/rules/{number}")
    return found


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(one) for one in ids if one.isascii() and one.isdecimal() and len(one) < 19]


def _unnamed(kind: str, one: str) -> str:
    words = {
        "application": _("request %(number)s"),
        "account": _("account %(number)s"),
        "invite": _("invitation %(number)s"),
        "job": _("job %(number)s"),
        "delivery": _("message %(number)s"),
    }
    return words.get(kind, f"{kind} %(number)s") % {"number": one}
