"""What machines ask: is it alive, is it ready, and how much is there of everything.

`/readyz` asks the database and the homeserver in threads of their own and answers from what they found out, at most
half a minute old: however long either hangs, the answer comes within two seconds.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import structlog
from django.db import Error, connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from foyer import config as configuration
from foyer.config import current
from foyer.config.database_errors import sentence_for
from foyer.config.schema import LOOPBACK_NAMES
from foyer.homeserver.errors import HomeserverError, NotPossible
from foyer.homeserver.make import current as current_homeserver
from foyer.web import edge, figures
from foyer.web.errors import FORBIDDEN, allow, answer

ANSWER_WITHIN_SECONDS = 1.5
DATABASE_SECONDS = 2.0
MIGRATIONS_SECONDS = 30.0
HOMESERVER_SECONDS = 30.0
NOBODYS_NAME = "foyer.asks.whether.you.are.there"
OK = "ok"
READ_ONLY = "may not be written"
FULL = "its disk is full"
# Less than this, and the next registrations do not fit.
LEAST_ROOM_BYTES = 1024 * 1024
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_VIA")
log = structlog.get_logger(__name__)


@allow("GET")
def predecessors(request: HttpRequest) -> HttpResponseBase:
    """Answer as matrix-registration does."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@allow("GET")
def alive(request: HttpRequest) -> HttpResponseBase:
    """Say that this process answers; nobody else is asked."""
    return JsonResponse({"alive": True})


@dataclass
class Look:
    """One thing that is looked at in the background: what was found, and when."""

    find: Callable[[], str]
    keep_seconds: float
    found: str = "not looked at yet"
    found_at: float = float("-inf")
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Look again, unless what is known is young enough or somebody is looking."""
        with self.lock:
            if time.monotonic() - self.found_at < self.keep_seconds or (self.thread and self.thread.is_alive()):
                return
            self.thread = threading.Thread(target=self._look, name="readiness", daemon=True)
            self.thread.start()

    def wait(self, until: float) -> str:
        """Return what was found; at `until` (monotonic) what is known so far."""
        thread = self.thread
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                return "no answer yet"
        return self.found

    def _look(self) -> None:
        self.found, self.found_at = self.find(), time.monotonic()


def _database() -> str:
    """The thread has a connection of its own, and takes it away again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return _writing(cursor)
    except Error as error:
        log.warning("the database does not answer", reason=sentence_for(error))
        return READ_ONLY if "readonly" in str(error) else "does not answer"
    finally:
        connection.close()


def _writing(cursor: CursorWrapper) -> str:
    """Say whether it can be written, without writing: this is asked often."""
    if connection.vendor != "sqlite":
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return OK if cursor.fetchone() == ("off",) else READ_ONLY
    path = Path(connection.settings_dict["NAME"])
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return READ_ONLY
    disk = os.statvfs(path)
    return OK if disk.f_bavail * disk.f_frsize >= LEAST_ROOM_BYTES else FULL


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return "unknown, because the database does not answer"
    finally:
        connection.close()
    return f"{len(missing)} missing; run `foyer migrate`" if missing else OK


def _homeserver() -> str:
    """Any answer will do, also that profiles are nobody's business."""
    try:
        current_homeserver().exists(NOBODYS_NAME)
    except NotPossible:
        return OK
    except HomeserverError as error:
        log.warning("the homeserver is not ready", reason=error.code, detail=error.detail)
        return error.code
    return OK


def _looks() -> dict[str, Look]:
    return {
        "database": Look(_database, DATABASE_SECONDS),
        "migrations": Look(_migrations, MIGRATIONS_SECONDS),
        "homeserver": Look(_homeserver, HOMESERVER_SECONDS),
    }


_kept = _looks()


def kept() -> dict[str, Look]:
    """Return what this process looks at, and what it found."""
    return _kept


@configuration.on_change
def forget() -> None:
    """Look at everything anew."""
    global _kept
    _kept = _looks()


@allow("GET")
def ready(request: HttpRequest) -> HttpResponseBase:
    """Say whether people can join now, and if not, what is wrong."""
    until = time.monotonic() + ANSWER_WITHIN_SECONDS
    looks = kept()
    for look in looks.values():
        look.begin()
    checks = {name: look.wait(until) for name, look in looks.items()}
    is_ready = all(found == OK for found in checks.values())
    response = JsonResponse({"ready": is_ready, "checks": checks}, status=200 if is_ready else 503)
    response["Cache-Control"] = "no-store"
    return response


@allow("GET")
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Show figures to Prometheus, on this machine or in a trusted network."""
    if not _may_see_figures(request):
        return answer(request, FORBIDDEN)
    return HttpResponse(figures.write(), content_type=figures.CONTENT_TYPE)


def _may_see_figures(request: HttpRequest) -> bool:
    """Say whether somebody of the house asks.

    Behind a proxy on this machine all the world is loopback. So a request that a proxy has touched, by its headers or
    by the public name that it passes on, is judged by the client that the proxy names, and refused where it names none.
    An nginx that is told nothing sends neither, but it speaks HTTP/1.0; Prometheus and curl do not.
    """
    networks = current().trusted_networks
    client = edge.client(request)
    peer = request.META.get("REMOTE_ADDR", "")
    if any(request.META.get(name) for name in FORWARDED):
        return client.ip != peer and any(ip_address(client.ip) in network for network in networks)
    if request.META.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    if not client.is_known and ip_address(peer).is_loopback:
        return re.sub(r":[0-9]+$", "", request.META.get("HTTP_HOST", "")) in LOOPBACK_NAMES
    return any(ip_address(client.ip) in network for network in networks)
