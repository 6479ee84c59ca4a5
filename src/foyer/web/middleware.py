"""The edge: what is true of every request and of every answer, whatever view is behind it."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable

import structlog
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.utils import translation

from foyer import config
from foyer.config import current
from foyer.kit.client_ip import ClientAddress, client_ip
from foyer.web import errors, language
from foyer.web.headers import SECURITY_HEADERS

MAX_BODY_BYTES = 64 * 1024
LONGEST_FORWARDED_FOR = 512
NOT_UTF_8 = "none"  # what wsgi.py makes of every other charset
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Asked by machines that know this one only by its IP.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})

ALWAYS = {name.lower(): (name, value) for name, value in {**SECURITY_HEADERS, "Cache-Control": "no-store"}.items()}
WITHOUT_BODY = frozenset({204, 304})

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Edge:
    """Give a request its id, client and language; refuse what cannot be meant; put the headers on the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        client = _client(request)
        request.client = client  # type: ignore[attr-defined]
        request.id = secrets.token_hex(8)  # type: ignore[attr-defined] # nobody else's: it could forge or flood the log
        speaks = language.of(request)
        request.language = speaks  # type: ignore[attr-defined]
        with (
            structlog.contextvars.bound_contextvars(request_id=request.id),  # type: ignore[attr-defined]
            translation.override(speaks.code),
        ):
            response = _refuse(request) or self.get_response(request)
        return _finish(request, response, speaks)


def _client(request: HttpRequest) -> ClientAddress:
    peer, claimed = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    itself = _client_behind(peer, "")
    if itself.is_known:  # no proxy of ours, so that its word counts for nothing
        return itself
    if len(claimed) > LONGEST_FORWARDED_FOR:
        # It is kept in memory, and only its right end can be believed. Left of the cut is a piece of an IP.
        claimed = claimed[-LONGEST_FORWARDED_FOR:].partition(",")[2]
    return _client_behind(peer, claimed)


@functools.lru_cache(maxsize=1024)
def _client_behind(peer: str, forwarded_for: str) -> ClientAddress:
    return client_ip(peer, forwarded_for, current().trusted_networks)


config.on_change(_client_behind.cache_clear)


def _refuse(request: HttpRequest) -> HttpResponseBase | None:
    """Return the answer to a request that no view should see."""
    if request.path_info not in ANY_HOST:
        try:
            request.get_host()
        except DisallowedHost:
            return _unknown_host(request)
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
        return errors.answer(request, errors.LENGTH_REQUIRED)
    if length and not (length.isascii() and length.isdigit()):
        return errors.answer(request, errors.BAD_REQUEST)
    if int(length or 0) > MAX_BODY_BYTES:
        return errors.answer(request, errors.TOO_LARGE)
    if request.content_type in FORMS and (request.content_params or {}).get("charset") == NOT_UTF_8:
        return errors.answer(request, errors.BAD_REQUEST)
    return None if _is_whole(request, int(length or 0)) else errors.answer(request, errors.BAD_REQUEST)


def _is_whole(request: HttpRequest, length: int) -> bool:
    """Read the body. Half a form would make an account with half a password."""
    try:
        return not length or len(request.body) == length
    except UnreadablePostError:
        return False


def _unknown_host(request: HttpRequest) -> HttpResponseBase:
    name = request.META.get("HTTP_HOST", "")[:100]
    remedy = translation.gettext(
        "If this server is yours: add the name %(name)s to hosts in foyer.yaml, or let your proxy pass on the name "
        "that stands in public_url."
    )
    return errors.answer(request, errors.UNKNOWN_HOST, remedy=remedy % {"name": name})


def _finish(request: HttpRequest, response: HttpResponseBase, speaks: language.Language) -> HttpResponseBase:
    headers = response.headers._store  # Django would look at each value anew, whether a header can carry it
    for name, header in ALWAYS.items():
        headers.setdefault(name, header)
    headers.setdefault("content-language", ("Content-Language", speaks.tag))
    headers["x-request-id"] = ("X-Request-Id", request.id)  # type: ignore[attr-defined]
    if isinstance(response, HttpResponse) and response.status_code not in WITHOUT_BODY:
        # Without it the server sends every page in chunks.
        headers.setdefault("content-length", ("Content-Length", str(len(response.content))))
    if response.status_code != 500:
        # Django would log the path of every other refusal too, and a path may be somebody's invitation.
        response._has_been_logged = True  # type: ignore[attr-defined]
    if speaks.chosen:
        response.set_cookie(
            language.COOKIE,
            speaks.chosen,
            max_age=language.COOKIE_SECONDS,
            path=f"{current().public_path}/",
            secure=str(current().public_url).startswith("https://"),
            httponly=True,
            samesite="Lax",
        )
    return response
