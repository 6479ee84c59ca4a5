"""The tabs of the queue, and how much may be decided at once."""

from __future__ import annotations

from django.utils.translation import gettext as _

from foyer.applications.queries import TABS, Tab

MOST_AT_ONCE = 1000


def tab_of(text: str) -> Tab:
    """Return the tab of this name; the first one where there is none."""
    return text if text in TABS else "waiting"


def tab_words() -> list[tuple[Tab, str]]:
    """Return the tabs, each with its name."""
    return [("waiting", _("Waiting")), ("flagged", _("Flagged")), ("asked", _("Asked")), ("decided", _("Decided"))]
