"""`foyer.wsgi:application`: for granian (as `foyer serve` runs it), gunicorn and uWSGI.

Static files are answered before Django is asked, under a prefix that is the digest of all of them, so that
browsers keep them for ever. A path prefix of `public_url` may arrive with the request, or be cut by the proxy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseBase
from django.utils.http import parse_header_parameters
from whitenoise import WhiteNoise

from foyer.config import current
from foyer.config.errors import ConfigError
from foyer.web.headers import SECURITY_HEADERS, add_static_headers

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def without_prefix(application: Application, prefix: str) -> Application:
    """Cut the path of `public_url` where the proxy passed it on. Pages link relatively, so nothing else is needed."""
    if not prefix:
        return application

    def strip(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix:
            # Links are relative, and `/join` without its slash would send them one floor too high.
            query = environ.get("QUERY_STRING", "")
            place = f"{prefix.rpartition('/')[2]}/" + (f"?{query}" if query else "")
            headers = [("Location", place), ("Content-Length", "0"), *SECURITY_HEADERS.items()]
            start_response("308 Permanent Redirect", headers)
            return []
        if path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :]
        return application(environ, start_response)

    return strip


def in_utf_8(application: Application) -> Application:
    """Take the name of every other charset away. Python knows `hex` and `zip` as charsets too, and Django breaks there.

    The address is UTF-8 in any case; forms that say that they are not are refused by the middleware.
    """

    def read(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        if ";" in kind and not _is_utf_8(kind):
            environ["CONTENT_TYPE"] = f"{kind.partition(';')[0]}; charset=none"
        return application(environ, start_response)

    return read


def _is_utf_8(kind: str) -> bool:
    try:
        return parse_header_parameters(kind)[1].get("charset", "utf-8").lower() in {"utf-8", "utf8"}
    except (ValueError, LookupError):
        return False


def in_one_piece(application: Callable[..., HttpResponseBase]) -> Application:
    """Hand a page over as the bytes that it is. The server asks an answer of Django's for its parts one by one."""

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = application(environ, start_response)
        if not isinstance(response, HttpResponse):
            return response
        response.close()
        return [response.content]

    return answer


def _never_changes(_path: str, _url: str) -> bool:
    return True  # the digest is in the address


def build() -> Application:
    """Return the whole application."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "foyer.config.django")
    try:
        public_path = current().public_path
    except ConfigError as error:
        sys.exit(str(error))
    django = get_wsgi_application()
    from foyer.config.staff_settings import ADMIN_FILES
    from foyer.web.assets import ADMIN_ROOT, STATIC_ROOT, digest  # reads files, which needs Django's settings first

    files = WhiteNoise(
        in_one_piece(django),
        max_age=0,
        add_headers_function=add_static_headers,
        immutable_file_test=_never_changes,
    )
    files.add_files(str(STATIC_ROOT), prefix=f"static/{digest()}/")
    files.add_files(str(ADMIN_ROOT), prefix=ADMIN_FILES)
    return in_utf_8(without_prefix(files, public_path))


application = build()
