"""How the house itself does: homeserver, mail, jobs, deliveries that failed, versions. For admins."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass

import django
from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import foyer
from foyer.config import current
from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.make import current as current_homeserver
from foyer.jobs import queries as jobs
from foyer.jobs import services as job_services
from foyer.notify import email
from foyer.notify import queries as deliveries
from foyer.notify import services as notify
from foyer.web import health
from foyer.web.desk import frame, lists
from foyer.web.desk.door import Me, admins
from foyer.web.errors import NOT_FOUND, allow, answer

LOOK_SECONDS = 8.0
MOST_AT_ONCE = 500
PAGE = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is well (level ok), or not (warning, fault)."""

    level: str
    sentence: str
    remedy: str = ""


@admins
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show it all. With `?look=yes` the homeserver is examined, which takes some seconds."""
    owed = jobs.owed()
    failed = deliveries.failed(before=lists.before_of(request), limit=PAGE + 1)
    return frame.render(
        request,
        me,
        "desk/health.html",
        here="health",
        checks=_checks(),
        findings=_findings() if request.GET.get("look") else None,
        homeserver=str(current().homeserver.url),
        mail_is_set_up=email.is_configured(),
        sent=deliveries.counts(),
        owed=owed,
        lanes=[(_lane_words()[lane], count) for lane, count in owed.by_lane.items()],
        given_up=jobs.given_up(limit=PAGE),
        failed=failed[:PAGE],
        next_page=lists.following(failed[PAGE - 1].pk if len(failed) > PAGE else None),
        versions=_versions(),
    )


def _lane_words() -> dict[str, str]:
    return {"homeserver": _("To the homeserver"), "mail": _("Mails"), "house": _("In the house")}


def _checks() -> list[tuple[str, bool, str]]:
    """Return what is looked at in the background anyway, as it was found half a minute ago at most."""
    until = time.monotonic() + health.ANSWER_WITHIN_SECONDS
    looks = health.kept()
    for look in looks.values():
        look.begin()
    words = {"database": _("Database"), "migrations": _("Tables"), "homeserver": _("Homeserver")}
    found = {name: look.wait(until) for name, look in looks.items()}
    return [(words.get(name, name), said == health.OK, said) for name, said in found.items()]


def _findings() -> list[Finding]:
    try:
        server = current_homeserver()
        with server.within(LOOK_SECONDS):
            probe = server.probe(current().after.rooms)
    except HomeserverError as error:
        return [Finding("fault", str(error), str(getattr(error, "remedy", "")))]
    return [Finding(it.level.value, it.sentence, it.remedy) for it in probe.findings]


def _versions() -> list[tuple[str, str]]:
    database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        version = str(cursor.fetchone()[0])
    return [
        ("Foyer", foyer.__version__),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        (database, version),
    ]


@admins
@allow("POST")
def try_again(request: HttpRequest, me: Me, kind: str, number: int) -> HttpResponseBase:
    """Take up a job that was given up, or a message that did not go out."""
    match kind:
        case "jobs":
            is_done = job_services.try_again(number, actor=me.actor)
        case "deliveries":
            is_done = notify.try_again(number, actor=me.actor)
        case _other:
            return answer(request, NOT_FOUND)
    said = (
        _("It is tried again now.") if is_done else _("There is nothing to try again here: it is done, or owed anew.")
    )
    frame.say(request, [said])
    return frame.go_to(request, "desk/health", at=kind)


@admins
@allow("POST")
def try_all(request: HttpRequest, me: Me, kind: str) -> HttpResponseBase:
    """Take up all of a kind, as after a night without a mail server."""
    match kind:
        case "jobs":
            count = sum(job_services.try_again(job.pk, actor=me.actor) for job in jobs.given_up(limit=MOST_AT_ONCE))
        case "deliveries":
            count = sum(notify.try_again(one.pk, actor=me.actor) for one in deliveries.failed(limit=MOST_AT_ONCE))
        case _other:
            return answer(request, NOT_FOUND)
    text = ngettext("%(count)s is tried again now.", "%(count)s are tried again now.", count)
    frame.say(request, [text % {"count": count}])
    return frame.go_to(request, "desk/health", at=kind)
