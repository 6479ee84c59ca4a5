"""From allauth's views to our pages."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib.messages import get_messages
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from foyer.web.errors import TOO_MANY, Problem, answer
from foyer.web.pages import render

FORGED = Problem(
    403,
    "form-too-old",
    _("That form was too old"),
    _("Nothing was changed. Go back, load the page anew, and send it again."),
)
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Error:
    """One thing to put right, and the id of the field that it is about; empty where it is about the whole form."""

    anchor: str
    sentence: str


class Page:
    """Goes before a view of allauth's: the same flow, shown with a template of ours."""

    request: HttpRequest
    template: str

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Show the page. A form that was refused is shown again with status 400 and what to put right."""
        forms = [context[name] for name in ("form", "webauthn_form") if context.get(name) is not None]
        found = [error for form in forms for error in errors_of(form)]
        about_fields = defaultdict(str, {error.anchor: error.sentence for error in found if error.anchor})
        shown = {
            name: value for name, value in context.items() if name not in {"view", "site", "errors", "js_data", "legal"}
        }
        shown |= {
            "errors": found,
            "error_of": about_fields,
            "trouble": " ".join(error.sentence for error in found if not error.anchor),
            "said": [str(message) for message in get_messages(self.request)],
            "next": context.get("redirect_field_value") or "",
            "url": url,
            "options": json.dumps(context["js_data"], cls=DjangoJSONEncoder) if "js_data" in context else "",
        }
        return render(self.request, self.template, status=400 if found else 200, secret=True, **shown)


def url(name: str, *args: int) -> str:
    """Return the address of a view of `urls.py`."""
    return reverse(name, args=args)


def errors_of(form: BaseForm) -> list[Error]:
    """Return what is wrong with a form that was sent. A passkey has no field that anybody sees."""
    if not form.is_bound:
        return []
    return [
        Error("" if name in {"__all__", "credential"} else name, " ".join(str(sentence) for sentence in sentences))
        for name, sentences in form.errors.items()
    ]


def forgery(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    return answer(request, FORGED)


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer somebody who tried too often. foyer/urls.py names it as `handler429`, for allauth to find."""
    return answer(request, TOO_MANY, retry_after=WAIT_SECONDS)
