"""User registrations, as the predecessor's users know them. The table is only read here: the services write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from foyer.applications import decisions
from foyer.applications.decisions import Outcome
from foyer.applications.models import Application
from foyer.config import current
from foyer.kit.actor import Actor
from foyer.kit.refusal import Refusal
from foyer.web.admin import showing, statuses
from foyer.web.admin.denials import prior_denials
from foyer.web.admin.filters import StatusFilter, VerifiedFilter, found
from foyer.web.admin.forms import Decision, RegistrationForm
from foyer.web.assets import asset

MOST_AT_ONCE = 1000
MOST_SENTENCES = 10
IN_A_MINUTE = _("It takes effect in a minute; until then it can be taken back.")
TOO_MANY = _("These are more than %(most)s. Choose fewer at once.")

if TYPE_CHECKING:
    Table = admin.ModelAdmin[Application]
else:
    Table = admin.ModelAdmin


class Registrations(ChangeList):
    """The list, with what one question can tell about all its rows."""

    def get_results(self, request: HttpRequest) -> None:
        """Read a page of it."""
        super().get_results(request)
        rows = list(self.result_list)
        before = prior_denials(rows)
        for row in rows:
            row.prior_denials = before[row.pk]
        self.result_list = rows


class RegistrationAdmin(Table):
    """Look at applications, and decide on them."""

    list_display = (
        *("id", "username", "email_shown", "verified", "reason_given", "status", "started", "ip_shown", "denied"),
    )
    list_display_links = ("id", "username")
    list_filter = (StatusFilter, VerifiedFilter)
    # Which columns these are is not asked: get_search_results decides. They only make the box appear.
    search_fields = ("localpart", "email", "ip", "answers")
    search_help_text = _("User name, email, IP or reason")
    ordering = ("-id",)
    # A page that is chosen whole must fit into the number of fields that a form may have.
    list_per_page = list_max_show_all = 50
    show_full_result_count = False
    actions = ("approve", "deny", "take_back")
    form = RegistrationForm
    fieldsets = (
        (None, {"fields": ("status", "mod_message", "notify", "internal_reason")}),
        (
            _("Registration"),
            {
                "fields": (
                    *("id", "username", "email_shown", "verified", "ip_shown", "started", "sent", "decided"),
                    *("denied", "noticed", "similar", "accepted"),
                )
            },
        ),
        (_("Answers"), {"fields": ("answers_given",)}),
        (_("Conversation"), {"fields": ("conversation", "notes")}),
        (_("Audit events"), {"fields": ("events",)}),
    )
    readonly_fields = (
        *("id", "username", "email_shown", "verified", "ip_shown", "started", "sent", "decided", "denied", "noticed"),
        *("similar", "accepted", "answers_given", "conversation", "notes", "events"),
    )

    @property
    def media(self) -> Media:
        """Add our own few lines to Django's style."""
        ours = f"{current().public_path}/{asset('registrations.css')}"
        return super().media + Media(css={"all": [ours]})

    @admin.display(description=_("user name"))
    def username(self, row: Application) -> str:
        """Return the name, or that there is none any more."""
        return row.localpart or showing.NOTHING

    @admin.display(description=_("email"))
    def email_shown(self, row: Application) -> str:
        """Return the email."""
        return row.email or showing.NOTHING

    @admin.display(description=_("verified"), boolean=True)
    def verified(self, row: Application) -> bool:
        """Say whether the email is proven."""
        return row.email_verified_at is not None

    @admin.display(description=_("reason"))
    def reason_given(self, row: Application) -> str:
        """Return the beginning of the first answer."""
        return showing.reason(row)

    @admin.display(description=_("status"))
    def status(self, row: Application) -> str:
        """Return the status."""
        return str(statuses.label_of(row.state))

    @admin.display(description=_("started"), ordering="id")
    def started(self, row: Application) -> Any:
        """Return when it began."""
        return row.created_at

    @admin.display(description=_("sent"))
    def sent(self, row: Application) -> Any:
        """Return when the form was sent."""
        return row.submitted_at

    @admin.display(description=_("IP"))
    def ip_shown(self, row: Application) -> str:
        """Return where it came from, while that is kept."""
        return row.ip or showing.NOTHING

    @admin.display(description=_("prior denials"))
    def denied(self, row: Application) -> int:
        """Return how often such a name or mailbox was denied before."""
        known = getattr(row, "prior_denials", None)
        return prior_denials([row])[row.pk] if known is None else cast("int", known)

    @admin.display(description=_("decided"))
    def decided(self, row: Application) -> str:
        """Return who decided, and when."""
        return showing.decision(row)

    @admin.display(description=_("noticed"))
    def noticed(self, row: Application) -> str:
        """Return what stands out."""
        return showing.noticed(row)

    @admin.display(description=_("similar"))
    def similar(self, row: Application) -> str:
        """Return others like it."""
        return showing.similar(row)

    @admin.display(description=_("accepted"))
    def accepted(self, row: Application) -> str:
        """Return what was agreed to."""
        return showing.accepted(row)

    @admin.display(description=_("answers"))
    def answers_given(self, row: Application) -> str:
        """Return the answers."""
        return showing.answers(row)

    @admin.display(description=_("conversation"))
    def conversation(self, row: Application) -> str:
        """Return the conversation."""
        return showing.conversation(row)

    @admin.display(description=_("notes"))
    def notes(self, row: Application) -> str:
        """Return the notes."""
        return showing.notes(row)

    @admin.display(description=_("events"))
    def events(self, row: Application) -> str:
        """Return what happened."""
        return showing.events(row)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: people apply at the public door."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        """Nobody: retention deletes, and applicants withdraw."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return our list."""
        return Registrations

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Application], search_term: str
    ) -> tuple[QuerySet[Application], bool]:
        """Search as the desk does, and for IPs too."""
        return found(queryset, search_term), False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the page itself, which has the audit: the admin keeps no record of its own."""
        return HttpResponseRedirect(reverse("admin:applications_application_change", args=[object_id]))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Keep nothing: the services have."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form or take it; where somebody decided meanwhile, say so and show the page anew."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        """Decide. The form has only let through what can be decided.

        Raises:
            Refusal: of the services; then nothing was changed.
        """
        given = form.cleaned_data
        decide = decisions.approve if given["status"] == statuses.APPROVED else decisions.deny
        decided = decide(
            obj.pk, actor_of(request), given["mod_message"], given["internal_reason"], silent=not given["notify"]
        )
        obj.state = decided.state

    def response_change(self, request: HttpRequest, obj: Application) -> HttpResponse:
        """Say what follows."""
        self.message_user(request, IN_A_MINUTE, messages.INFO)
        return super().response_change(request, obj)

    @admin.action(description=_("Approve…"), permissions=["change"])
    def approve(self, request: HttpRequest, chosen: QuerySet[Application]) -> HttpResponse | None:
        """Ask for the message, then say yes to all."""
        return self._decide(request, chosen, "approve", decisions.approve_many)

    @admin.action(description=_("Deny…"), permissions=["change"])
    def deny(self, request: HttpRequest, chosen: QuerySet[Application]) -> HttpResponse | None:
        """Ask for the message, then say no to all."""
        return self._decide(request, chosen, "deny", decisions.deny_many)

    @admin.action(description=_("Take back decisions of the last minute"), permissions=["change"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[Application]) -> None:
        """Undo what has not taken effect."""
        numbers = self._numbers(request, chosen)
        if numbers is not None:
            self._tell(request, decisions.undo_many(numbers, actor_of(request)))

    def _decide(
        self,
        request: HttpRequest,
        chosen: QuerySet[Application],
        action: str,
        decide_many: Callable[..., list[Outcome]],
    ) -> HttpResponse | None:
        numbers = self._numbers(request, chosen)
        if numbers is None:
            return None
        form = Decision(request.POST if "decide" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, form, action, numbers)
        given = form.cleaned_data
        outcomes = decide_many(
            numbers, actor_of(request), given["message"], given["internal_reason"], silent=not given["notify"]
        )
        if self._tell(request, outcomes):
            self.message_user(request, IN_A_MINUTE, messages.INFO)
        return None

    def _numbers(self, request: HttpRequest, chosen: QuerySet[Application]) -> list[int] | None:
        numbers = list(chosen.order_by("id").values_list("id", flat=True)[: MOST_AT_ONCE + 1])
        if len(numbers) <= MOST_AT_ONCE:
            return numbers
        self.message_user(request, str(TOO_MANY) % {"most": MOST_AT_ONCE}, messages.ERROR)
        return None

    def _ask(self, request: HttpRequest, form: Decision, action: str, numbers: Sequence[int]) -> HttpResponse:
        rows = Application.objects.filter(id__in=numbers[: self.list_per_page]).order_by("id")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Approve") if action == "approve" else _("Deny"),
            "opts": self.opts,
            "form": form,
            "action": action,
            "rows": rows,
            "more": max(0, len(numbers) - len(rows)),
            "across": request.POST.get("select_across", "0"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/applications/application/decide.html", context)

    def _tell(self, request: HttpRequest, outcomes: Sequence[Outcome]) -> int:
        refused = [it for it in outcomes if it.refusal is not None]
        done = len(outcomes) - len(refused)
        if done:
            self.message_user(request, ngettext("%(done)s was done.", "%(done)s were done.", done) % {"done": done})
        for it in refused[:MOST_SENTENCES]:
            self.message_user(request, f"{it.application_id}: {it.refusal}", messages.ERROR)
        if more := len(refused[MOST_SENTENCES:]):
            said = ngettext("%(more)s more was not done.", "%(more)s more were not done.", more)
            self.message_user(request, said % {"more": more}, messages.ERROR)
        return done


def actor_of(request: HttpRequest) -> Actor:
    """Return who is signed in, as services take it."""
    return Actor.staff(request.user.get_username())
