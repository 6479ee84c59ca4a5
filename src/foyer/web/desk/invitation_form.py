"""The form of a new invitation, or of a batch of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.accounts.rules import allowed_localpart
from foyer.applications.texts import allowed_email, cleaned
from foyer.config import current, places
from foyer.invites import mirroring
from foyer.invites.services import NewInvite
from foyer.kit.clock import now
from foyer.kit.codes import is_code
from foyer.kit.refusal import Refusal
from foyer.web.desk.door import Me
from foyer.web.desk.lists import day_of, end_of_day
from foyer.web.forms import Error

MOST_USES = 1_000_000
MOST_IN_A_BATCH = 200
MOST_ROOMS = 50
LONGEST_LABEL = 200
LONGEST_MESSAGE = 4000
FIELDS = (
    "count",
    "uses",
    "expires",
    "label",
    "message",
    "inviter",
    "rooms",
    "username",
    "email",
    "code",
    "mirror",
)


_TICKED = "yes"
CHANGEABLE = ("uses", "expires", "label", "message", "inviter", "rooms", "username", "email")
"""What can be changed later: code and count are as they are."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, as it was typed."""

    count: str = "1"
    uses: str = ""
    expires: str = ""
    label: str = ""
    message: str = ""
    inviter: str = ""
    rooms: str = ""
    username: str = ""
    email: str = ""
    code: str = ""
    mirror: str = ""


def house_defaults(me: Me) -> NewInvite:
    """Return an invitation as the owner wants them if nobody says otherwise."""
    house = current().invitations
    return NewInvite(
        uses_limit=house.uses,
        expires_at=now() + house.expires if house.expires else None,
        inviter=me.name if house.show_inviter else "",
        mirror=house.mirror,
    )


def empty(me: Me) -> Draft:
    """Return the form as it is first shown."""
    default = house_defaults(me)
    uses = "" if default.uses_limit is None else str(default.uses_limit)
    mirror = _TICKED if default.mirror else ""
    return Draft(uses=uses, expires=day_of(default.expires_at), inviter=default.inviter, mirror=mirror)


def typed(form: QueryDict, fields: tuple[str, ...] = FIELDS) -> Draft:
    """Return what was sent in these fields."""
    return Draft(**{name: cleaned(form.get(name, ""))[: LONGEST_MESSAGE + 1] for name in fields})


def read(draft: Draft, me: Me) -> tuple[int, NewInvite, list[Error]]:
    """Return how many are wanted, what each shall be, and everything that is wrong with the form."""
    errors: list[Error] = []
    count = _number(draft.count or "1", "count", MOST_IN_A_BATCH, errors)
    wanted = NewInvite(
        code=draft.code or None,
        uses_limit=_number(draft.uses, "uses", MOST_USES, errors) if draft.uses else None,
        label=_short(draft.label, "label", LONGEST_LABEL, errors),
        message=_short(draft.message, "message", LONGEST_MESSAGE, errors),
        inviter=_short(draft.inviter, "inviter", LONGEST_LABEL, errors),
        rooms=_rooms(draft.rooms, me, errors),
        localpart=_name(draft.username, errors),
        email=_email(draft.email, errors),
        mirror=_mirror(draft, errors),
    )
    wanted = _with_end(draft, wanted, errors)
    if count > 1:
        errors += [
            Error(field, _("This is for one invitation. Leave it empty where you make several."))
            for field in ("username", "email", "code")
            if getattr(draft, field)
        ]
    if draft.code and not is_code(draft.code):
        errors.append(Error("code", _("Use letters, digits and the signs . _ ~ - here, at most 64 of them.")))
    return count, wanted, errors


def _with_end(draft: Draft, wanted: NewInvite, errors: list[Error]) -> NewInvite:
    try:
        end = end_of_day(draft.expires)
    except ValueError:
        errors.append(Error("expires", _("This is not a day. Type it like 2027-01-31, or leave it empty.")))
        return wanted
    if end is not None and end <= now():
        errors.append(Error("expires", _("This day is over. Choose one that is to come.")))
    return replace(wanted, expires_at=end)


def _number(text: str, field: str, most: int, errors: list[Error]) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most:
        return int(text)
    errors.append(Error(field, _("Type a number from 1 to %(most)s.") % {"most": most}))
    return 1


def _short(text: str, field: str, most: int, errors: list[Error]) -> str:
    if len(text) > most:
        words = ngettext("Use at most %(count)s character.", "Use at most %(count)s characters.", most)
        errors.append(Error(field, words % {"count": most}))
    return text[:most]


def _rooms(text: str, me: Me, errors: list[Error]) -> list[str]:
    """Read the rooms. People are put there by the homeserver's admin, whose rooms no moderator shall open by a name."""
    found: list[str] = []
    for line in text.split()[:MOST_ROOMS]:
        try:
            found.append(places.room(line))
        except ValueError:
            words = _("%(room)s is no room. Type it like #plaza:example.org or !id:example.org.")
            errors.append(Error("rooms", words % {"room": line[:80]}))
    if not me.is_admin and not set(found) <= set(current().after.rooms):
        errors.append(Error("rooms", _("Only admins can name further rooms. Ask one of them to make the invitation.")))
    return list(dict.fromkeys(found))


def _name(text: str, errors: list[Error]) -> str:
    try:
        return allowed_localpart(text) if text else ""
    except Refusal as refusal:
        errors.append(Error("username", str(refusal)))
        return ""


def _email(text: str, errors: list[Error]) -> str:
    try:
        return allowed_email(text) if text else ""
    except Refusal as refusal:
        errors.append(Error("email", str(refusal)))
        return ""


def _mirror(draft: Draft, errors: list[Error]) -> bool:
    """Refuse the tick where somebody made it; where the owner did, it means those that can be mirrored."""
    if not draft.mirror:
        return False
    try:
        mirroring.require_possible(localpart=draft.username, email=draft.email)
    except Refusal as refusal:
        if not current().invitations.mirror:
            errors.append(Error("mirror", str(refusal)))
        return False
    return True
