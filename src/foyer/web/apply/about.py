"""The third step: the owner's questions, what must be agreed to, and the password where it is chosen now."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import ngettext

from foyer.applications import queries, services
from foyer.applications.errors import AnswerRefused, NotAccepted, WrongState
from foyer.applications.models import State
from foyer.applications.texts import MAX_TEXT_LENGTH
from foyer.config import current
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.apply import traps
from foyer.web.apply.stage import Visit, go_on, of_one_request, show, too_many, trouble
from foyer.web.errors import allow
from foyer.web.forms import Error, by_field, password_words
from foyer.web.pages import Paper, papers

PASSWORD_FIELDS = frozenset({"password", "confirm"})
GOES_TO = {"name": "/name", "email": "/email"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the page shows it; `field` is the name of what it is answered in."""

    field: str
    kind: str
    text: str
    required: bool
    min_length: int
    max_length: int
    rows: int
    choices: tuple[str, ...]
    answer: str
    too_short: str


@allow("GET", "POST")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask; give what was answered to the moderators. Going back from here loses nothing."""
    if visit.application.state != State.VERIFIED or not visit.application.localpart:
        return go_on(request, visit)
    if request.method != "POST":
        return _ask(request, visit, {str(it["id"]): str(it["answer"]) for it in visit.application.answers})
    answers = _answers(request)
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is not None:
        return _ask(request, visit, answers, [refusal])
    try:
        if request.POST.get("go") in GOES_TO:
            services.save_answers(visit.application, answers)
            return go_on(request, visit, GOES_TO[request.POST["go"]])
        return _submit(request, visit, answers)
    except WrongState:
        return go_on(request, visit.again())


def _answers(request: HttpRequest) -> dict[str, str]:
    return {it.id: request.POST.get(_field(it.id), "") for it in current().application.questions}


def _field(question_id: str) -> str:
    return f"q-{question_id}"


def _submit(request: HttpRequest, visit: Visit, answers: dict[str, str]) -> HttpResponseBase:
    form, client = request.POST, edge.client(request)
    accepted = {paper.url for paper in papers(form) if paper.is_accepted}
    password, confirm = form.get("password", ""), form.get("confirm")
    wrong = services.validate(answers, accepted, password, confirm)
    if wrong:
        services.save_answers(visit.application, answers)
        return _ask(request, visit, answers, wrong)
    try:
        services.submit(
            visit.application,
            answers,
            accepted,
            password,
            confirm,
            ip=client.ip if client.is_known else None,
            traps=traps.sprung(form),
        )
    except WrongState:
        raise
    except Refusal as refusal:
        if refusal.field == "username":
            return go_on(request, visit, f"/name?lost={visit.application.localpart}")
        return _ask(request, visit, answers, [refusal])
    return go_on(request, visit, "")


def _ask(
    request: HttpRequest, visit: Visit, answers: dict[str, str], refusals: list[Refusal] | None = None
) -> HttpResponse:
    legal = papers(request.POST)
    questions = [_asked(number, answers) for number in range(len(current().application.questions))]
    found = [(_anchor(refusal, legal), refusal) for refusal in refusals or []]
    errors = [Error(anchor, str(refusal)) for anchor, refusal in found if anchor]
    other = next((refusal for anchor, refusal in found if not anchor), None)
    fields = [*PASSWORD_FIELDS, *(it.field for it in questions), *(paper.field for paper in legal)]
    return show(
        request,
        visit,
        "apply/about.html",
        "/about",
        refusal=other or next((refusal for _anchor, refusal in found), None),
        questions=questions,
        legal=legal,
        username=visit.application.localpart,
        email=visit.application.email,
        usual_wait=queries.typical_wait(),
        password_words=password_words() if services.password_is_asked() else None,
        marks=traps.marks(request.POST),
        errors=errors,
        errors_by_field=by_field(errors, fields),
        trouble=trouble(other),
    )


def _anchor(refusal: Refusal, legal: list[Paper]) -> str:
    """Return the field that a refusal is about; nothing where it is about none."""
    if isinstance(refusal, AnswerRefused):
        return _field(str(refusal.params["question"]))
    if isinstance(refusal, NotAccepted):
        return next((paper.field for paper in legal if paper.url == refusal.params["url"]), "")
    return str(refusal.field) if refusal.field in PASSWORD_FIELDS else ""


def _asked(number: int, answers: dict[str, str]) -> Asked:
    question = current().application.questions[number]
    count = question.min_length
    short = ngettext("Write at least %(count)s character.", "Write at least %(count)s characters.", count)
    return Asked(
        field=_field(question.id),
        kind=question.kind,
        text=question.text,
        required=question.required,
        min_length=count,
        max_length=MAX_TEXT_LENGTH,
        # The first question is the one that counts.
        rows=6 if number == 0 else 3,
        choices=question.choices,
        answer=answers.get(question.id, ""),
        too_short=short % {"count": count} if count else "",
    )
