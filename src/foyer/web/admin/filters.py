"""The filters beside the list, and what its search finds."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foyer.applications import search
from foyer.applications.models import Application, State
from foyer.web.admin.statuses import ALL

MOST = 1000
LIKE_AN_IP = re.compile(r"(?=.*[.:])[0-9A-Fa-f.:]+")
NOT_SENT = (State.UNVERIFIED, State.VERIFIED)


class StatusFilter(admin.SimpleListFilter):
    """By status."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [(status, str(label)) for status, (label, _states) in ALL.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        """Return those with the status that was chosen."""
        chosen = ALL.get(self.value() or "")
        return queryset.filter(state__in=chosen[1]) if chosen else queryset


class VerifiedFilter(admin.SimpleListFilter):
    """By whether the email is proven."""

    title = _("verified")
    parameter_name = "verified"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("1", gettext("Yes")), ("0", gettext("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        """Return those that were chosen."""
        if self.value() not in {"0", "1"}:
            return queryset
        return queryset.filter(email_verified_at__isnull=self.value() == "0")


def found(rows: QuerySet[Application], words: str) -> QuerySet[Application]:
    """Return those with these words in the user name, the email, an answer or the IP: of each the newest thousand.

    What was sent is found by the index of all searches. What was not sent yet is never much, and is looked through.
    """
    words = words.strip()
    if not words:
        return rows
    newest = Application.objects.order_by("-id")
    parts = [
        search.among_all(newest, words),
        newest.filter(Q(localpart__icontains=words) | Q(email__icontains=words), state__in=NOT_SENT),
    ]
    if LIKE_AN_IP.fullmatch(words):
        parts.append(newest.filter(ip__isnull=False, ip__startswith=words.lower()))
    numbers = {number for part in parts for number in part.values_list("id", flat=True)[:MOST]}
    return rows.filter(id__in=numbers)
