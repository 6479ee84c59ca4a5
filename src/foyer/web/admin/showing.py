"""What the admin shows of an application, in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from foyer.applications import flags, queries
from foyer.applications.models import Application
from foyer.applications.moves import who

NOTHING = "–"
SIGNS_OF_A_REASON = 80


def reason(row: Application) -> str:
    """Return the beginning of the first answer, which is the one that counts."""
    first = next((str(it["answer"]) for it in row.answers if it["answer"]), "")
    return Truncator(" ".join(first.split())).chars(SIGNS_OF_A_REASON)


def answers(row: Application) -> SafeString:
    """Return every question and its answer."""
    if not row.answers:
        return format_html("{}", NOTHING)
    pieces = ((it["text"], linebreaksbr(it["answer"] or NOTHING)) for it in row.answers)
    return format_html_join("", "<p><strong>{}</strong><br>{}</p>", pieces)


def noticed(row: Application) -> str:
    """Return what stands out."""
    return "; ".join(flags.phrase(flag) for flag in row.flags) or NOTHING


def accepted(row: Application) -> str:
    """Return what was agreed to."""
    return ", ".join(str(it["title"]) for it in row.legal) or NOTHING


def decision(row: Application) -> str:
    """Return who decided, and when."""
    return f"{who(row.decided_by)}, {_when(row.decided_at)}" if row.decided_by else NOTHING


def similar(row: Application) -> SafeString:
    """Return the other applications that look like it."""
    alike = queries.look_alikes(row)
    found = {one.pk: one for one in (*alike.by_name, *alike.by_email, *alike.by_subnet)}
    links = (
        (reverse("admin:applications_application_change", args=[one.pk]), one.pk, one.localpart or NOTHING)
        for one in sorted(found.values(), key=lambda one: -one.pk)
    )
    return format_html_join(", ", '<a href="{}">{} {}</a>', links) or format_html("{}", NOTHING)


def conversation(row: Application) -> SafeString:
    """Return what moderators asked, and what was answered."""
    turns = ((_when(it.at), who(it.by), linebreaksbr(it.text)) for it in queries.conversation(row))
    return _table((_("Time"), _("Who"), _("Words")), turns)


def notes(row: Application) -> SafeString:
    """Return what moderators told each other."""
    written = ((_when(it.at), who(it.by), linebreaksbr(it.text)) for it in queries.notes(row))
    return _table((_("Time"), _("Who"), _("Words")), written)


def events(row: Application) -> SafeString:
    """Return what the audit has about it."""
    happened = (
        (_when(it.at), it.verb, it.actor, ", ".join(f"{name}: {value}" for name, value in it.facts.items()))
        for it in queries.history(row)
    )
    return _table((_("Time"), _("Event"), _("Who"), _("Facts")), happened)


def _when(moment: object) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT")  # type: ignore[arg-type]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> SafeString:
    lines = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    if not lines:
        return format_html("{}", NOTHING)
    heads = format_html_join("", '<th scope="col">{}</th>', ((title,) for title in titles))
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, lines)
