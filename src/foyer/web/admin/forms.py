"""The forms by which an admin decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from foyer.applications.decisions import UNDECIDED
from foyer.applications.models import Application
from foyer.applications.moves import who
from foyer.applications.texts import MAX_TEXT_LENGTH
from foyer.web.admin import statuses

ONLY_THESE = _(
    "Only Approved and Denied can be chosen here; the other statuses follow by themselves. "
    "Choose one of the two, or leave this page without saving."
)
DECIDED = _("%(who)s has decided on this already, and nothing was sent again.")
NOT_YET = _("This cannot be decided on: its email is not proven or its form not sent yet, or it is over.")


class Decision(forms.Form):
    """What goes with a decision."""

    message = forms.CharField(
        label=_("message to the applicant"),
        required=False,
        max_length=MAX_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        help_text=_("Stands in the mail, and on the page of their request."),
    )
    notify = forms.BooleanField(
        label=_("notify"), required=False, initial=True, help_text=_("Send the applicant a mail.")
    )
    internal_reason = forms.CharField(
        label=_("internal reason"),
        required=False,
        max_length=MAX_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 80}),
        help_text=_("Only moderators read it."),
    )


if TYPE_CHECKING:
    ApplicationForm = forms.ModelForm[Application]
else:
    ApplicationForm = forms.ModelForm


class RegistrationForm(ApplicationForm):
    """A status to choose, and what goes with it. It writes nothing: the services do."""

    status = forms.ChoiceField(label=_("status"))
    mod_message = Decision.base_fields["message"]
    notify = Decision.base_fields["notify"]
    internal_reason = Decision.base_fields["internal_reason"]

    class Meta:
        model = Application
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        status = self.fields["status"]
        if isinstance(status, forms.ChoiceField):
            status.choices = statuses.choices_from(row.state)
        self.initial.update(
            status=statuses.status_of(row.state),
            mod_message=row.message,
            notify=not row.is_silent,
            internal_reason=row.reason,
        )

    def clean_status(self) -> str:
        """Refuse everything but a decision that can be taken."""
        status = str(self.cleaned_data["status"])
        if self.instance.state not in UNDECIDED:
            by = self.instance.decided_by
            raise ValidationError(DECIDED % {"who": who(by)} if by else NOT_YET)
        if status not in {statuses.APPROVED, statuses.DENIED}:
            raise ValidationError(ONLY_THESE)
        return status
