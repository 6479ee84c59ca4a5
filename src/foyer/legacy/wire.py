"""Reading requests and writing answers as programs of the predecessor's time do."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from foyer.kit.client_ip import ClientAddress
from foyer.kit.refusal import Refusal
from foyer.screening import limits
from foyer.screening.errors import TooMany
from foyer.screening.rules import RuleName

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

NOBODY = ClientAddress("0.0.0.0", is_known=False)  # noqa: S104 - stands for no IP, not for a place to listen
BAD_REQUEST = "MR_BAD_USER_REQUEST"


class Unreadable(Exception):
    """The body is not what it says it is, or more than is read."""

    def __init__(self, *, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


def client(request: HttpRequest) -> ClientAddress:
    """Return where the request comes from, as the middleware noted it."""
    return cast("ClientAddress", getattr(request, "client", NOBODY))


def answer(content: object, status: int = 200) -> HttpResponse:
    """Return JSON, keys in order, that nobody keeps."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    response = HttpResponse(text + "\n", status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def error(errcode: str, text: object, status: int = 400, more: Mapping[str, object] | None = None) -> HttpResponse:
    """Return an error as Matrix and the predecessor write it."""
    return answer({"errcode": errcode, "error": text, **(more or {})}, status)


def explained(refusal: Refusal) -> dict[str, object]:
    """Return what stands beside the old words: our code, and the sentence in the reader's language."""
    return {"reason": refusal.code, "foyer": {"code": refusal.code, "sentence": str(refusal)}}


def later(response: HttpResponse, seconds: float) -> HttpResponse:
    """Say when to come back."""
    response["Retry-After"] = str(math.ceil(seconds))
    return response


def too_many(refusal: TooMany) -> HttpResponse:
    """Return 429 as the Matrix specification has it."""
    more = {"retry_after_ms": refusal.retry_after * 1000, **explained(refusal)}
    return later(error("M_LIMIT_EXCEEDED", str(refusal), 429, more), refusal.retry_after)


def unreadable(cause: Unreadable) -> HttpResponse:
    """Answer a body that cannot be read."""
    return error(BAD_REQUEST, "malformed request", cause.status)


def options(*methods: str) -> HttpResponse:
    """Answer OPTIONS. What other origins may do is added by `cors.CrossOrigin`."""
    response = HttpResponse(status=204)
    response["Allow"] = ", ".join(sorted({*methods, "OPTIONS"}))
    return response


def route(*methods: str, rule: RuleName | None = None) -> Callable[[View[P]], View[P]]:
    """Let a view see these methods only, within the limits of `rule`; whatever it may not see is told in JSON."""
    known = {*methods, "HEAD"} if "GET" in methods else {*methods}

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method == "OPTIONS":
                return options(*known)
            if request.method not in known:
                response = error("M_UNRECOGNIZED", "This address does not take this method", 405)
                response["Allow"] = ", ".join(sorted({*known, "OPTIONS"}))
                return response
            try:
                if rule is not None:
                    limits.check(rule, client(request))
                return view(request, *args, **kwargs)
            except TooMany as refusal:
                return too_many(refusal)
            except Unreadable as cause:
                return unreadable(cause)

        return inner

    return decorate


def read_json(request: HttpRequest) -> Any:
    """Return the body's JSON, whatever its content type says; None where there is none.

    Raises:
        Unreadable: it is no JSON, or too long.
    """
    try:
        raw = request.body
        return json.loads(raw) if raw.strip() else None
    except RequestDataTooBig:
        raise Unreadable(status=413) from None
    except (ValueError, RecursionError, UnreadablePostError):
        raise Unreadable from None


def read_object(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that was sent; an empty one where nothing was.

    Raises:
        Unreadable: it is something else.
    """
    content = read_json(request) or {}
    if not isinstance(content, dict):
        raise Unreadable
    return content
