"""What happened, and who did it: the audit, to look through and to take away. For admins."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from foyer.audit import queries
from foyer.audit.models import Event
from foyer.audit.verbs import Verb
from foyer.kit.clock import now
from foyer.web.desk import frame, lists
from foyer.web.desk.door import Me, admins
from foyer.web.desk.subjects import Subject, subjects_of
from foyer.web.desk.timeline import actor_word
from foyer.web.desk.verbs import room_words, verb_words
from foyer.web.errors import NOT_FOUND, allow, answer
from foyer.web.forms import Error, by_field

FIELDS = ("verb", "actor", "subject", "number", "since", "until")
COLUMNS = ("id", "at", "verb", "actor", "subject_kind", "subject_id", "facts")
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One event, in words."""

    at: datetime
    text: str
    verb: str
    by: str
    subject: Subject
    facts: list[tuple[str, str]]


@admins
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show a page of it, as it is asked for."""
    filters = {name: frame.one(request.GET, name) for name in FIELDS}
    wanted, errors = _wanted(filters)
    found = queries.page(wanted, before=lists.before_of(request))
    words = verb_words()
    return frame.render(
        request,
        me,
        "desk/history.html",
        here="history",
        status=400 if errors else 200,
        filters=filters,
        errors=errors,
        errors_by_field=by_field(errors, FIELDS),
        verbs=_choices(words),
        kinds=list(room_words().items()),
        rows=_rows(found.events, words),
        is_filtered=any(filters.values()),
        query=lists.query(filters),
        next_page=lists.following(found.before, **filters),
        looked_to=found.looked_to,
    )


@admins
@allow("GET")
def export(request: HttpRequest, me: Me, kind: str) -> HttpResponseBase:
    """Give all of it that is asked for as a file. It is written while it is read, however much there is."""
    wanted, errors = _wanted({name: frame.one(request.GET, name) for name in FIELDS})
    if kind not in TYPES or errors:
        return answer(request, NOT_FOUND)
    events = queries.each(wanted)
    response = StreamingHttpResponse(_csv(events) if kind == "csv" else _json(events), content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="history-{now():%Y-%m-%d}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _wanted(filters: dict[str, str]) -> tuple[queries.Wanted, list[Error]]:
    errors: list[Error] = []
    days: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        try:
            days[name] = lists.day_after(filters[name])
        except ValueError:
            errors.append(Error(name, _("This is not a day. Type it like 2027-01-31, or leave it empty.")))
    since, until = days.get("since"), days.get("until")
    return (
        queries.Wanted(
            verb=filters["verb"],
            actor=filters["actor"],
            subject_kind=filters["subject"],
            subject_id=filters["number"].removeprefix("#"),
            since=since - lists.A_DAY if since is not None else None,
            until=until,
        ),
        errors,
    )


def _choices(words: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the verbs, by what they are about."""
    return [
        (name, [(verb.value, words[verb]) for verb in Verb if verb.partition(".")[0] == room])
        for room, name in room_words().items()
    ]


def _rows(events: list[Event], words: dict[str, str]) -> list[Row]:
    subjects = subjects_of(events)
    return [
        Row(
            at=it.at,
            text=words.get(it.verb, it.verb),
            verb=it.verb,
            by=actor_word(it.actor),
            subject=subjects[(it.subject_kind, it.subject_id)],
            facts=[(name, _plain(value)) for name, value in it.facts.items()],
        )
        for it in events
    ]


def _plain(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _values(event: Event) -> dict[str, object]:
    return {name: event.at.isoformat() if name == "at" else getattr(event, name) for name in COLUMNS}


def _csv(events: Iterable[Event]) -> Iterator[str]:
    """Yield a line for each. What a spreadsheet would take for a formula is quoted."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for event in events:
        values = {**_values(event), "facts": json.dumps(event.facts, sort_keys=True)}
        writer.writerow([_quoted(str(value)) for value in values.values()])
        if line.tell() > 32_000:
            yield _taken(line)
    yield _taken(line)


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _json(events: Iterable[Event]) -> Iterator[str]:
    yield "["
    for number, event in enumerate(events):
        yield f"{',' if number else ''}\n{json.dumps(_values(event), ensure_ascii=False)}"
    yield "\n]\n"
