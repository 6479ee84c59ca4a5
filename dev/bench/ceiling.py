"""What the stack gives when there is nothing to do: `python -m dev.bench.ceiling KIND --config foyer.yaml`.

The parent of `foyer serve` starts it, so that server, threads and limits are Foyer's own; only the application differs.

server    a WSGI function that says hello: the most that granian gives
django    a view that says hello under Django without any middleware
settings  the same view under all of Foyer's settings
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse  # noqa: TID251 - a door, if a very small one
from django.urls import path

from foyer.__main__ import main as foyer
from foyer.cli.serve import web

_KIND = "BENCH_CEILING"
_HELLO = b"hello"


def view(_request: HttpRequest) -> HttpResponse:
    """Say hello."""
    return HttpResponse(_HELLO, content_type="text/plain")


urlpatterns = [path("", view), path("healthz", view)]


def hello(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Say hello without Django."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(_HELLO)))])
    return [_HELLO]


def application() -> Any:
    """Load the application, in the process that is to run it."""
    foyers = _load_foyers()
    if os.environ[_KIND] == "server":
        return hello
    settings.ROOT_URLCONF = __name__
    if os.environ[_KIND] == "settings":
        return foyers
    settings.MIDDLEWARE = []
    return get_wsgi_application()


_load_foyers = web.application


def main(kind: str) -> None:
    """Serve as `foyer serve --no-worker` does."""
    os.environ[_KIND] = kind
    web.application = application
    sys.argv = ["foyer", *sys.argv[2:], "serve", "--no-worker"]
    foyer()


if __name__ == "__main__":
    from dev.bench import ceiling  # noqa: PLW0406 - by its name: the processes for pages look it up by that

    ceiling.main(sys.argv[1])
