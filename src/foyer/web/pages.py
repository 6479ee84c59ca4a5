"""Answering with a page: what all of them share, and how long it may be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import get_template
from django.utils.cache import get_conditional_response
from markupsafe import Markup

from foyer import config
from foyer.config import current
from foyer.web import edge, language
from foyer.web.branding import File, brand

FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
VARY = "Accept-Language, Cookie"
HTML = "text/html; charset=utf-8"


_pages: dict[tuple[str, language.Language, str], tuple[bytes, str]] = {}


@dataclass(frozen=True, slots=True)
class Paper:
    """One of the owner's rules or legal texts; `field` is the name of its tick box."""

    title: str
    url: str
    must_accept: bool
    field: str
    is_accepted: bool = False

    @property
    def link(self) -> Markup:
        """Return the link that stands beside the tick box."""
        return Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(self.url, self.title)


def papers(accepted: Mapping[str, str] | None = None) -> list[Paper]:
    """Return the owner's rules and legal texts; `accepted` is a form that was sent."""
    return [
        Paper(paper.title, str(paper.url), paper.must_accept, field, bool(accepted and accepted.get(field)))
        for field, paper in ((f"accept-{number}", paper) for number, paper in enumerate(current().legal, start=1))
    ]


def render(
    request: HttpRequest, template: str, *, status: int = 200, secret: bool = False, **context: Any
) -> HttpResponse:
    """Return a page.

    `secret`: it carries a code, or is about one person: nobody may keep it. `parameters` in the context are
    what the language switcher keeps in the URL; by default the query as it came.
    """
    speaks = edge.language(request)
    parameters = context.pop("parameters", None)
    parameters = request.GET.dict() if parameters is None else parameters
    shared = {
        "brand": brand(),
        "root": edge.root(request),
        "language": speaks,
        "languages": language.choices(speaks, path=context.pop("path", ""), parameters=parameters),
        "legal": papers(),
        "server_name": current().server_name,
        "request_id": edge.request_id(request),
    }
    content = get_template(template).render({**shared, **context}, request)
    return page_of(content, status=status, secret=secret)


def page_of(content: str | bytes, *, status: int = 200, secret: bool = False) -> HttpResponse:
    """Return an answer with this page, and who may keep it for how long: see render()."""
    headers = {
        "Content-Type": HTML,  # Django would look its own up each time
        "Cache-Control": "no-store" if secret or status >= 400 else "private, no-cache",
        "Vary": VARY,
    }
    return HttpResponse(content.encode() if isinstance(content, str) else content, status=status, headers=headers)


def render_once(request: HttpRequest, template: str, **context: Any) -> HttpResponseBase:
    """Return a page that is the same for everybody, or say that the browser's copy is still right.

    It is rendered once for each language, as long as the configuration lasts, on which alone `context` may depend.
    """
    speaks = edge.language(request)
    if any(name != language.PARAMETER for name in request.GET):
        return kept(request, render(request, template, **context))
    key = (template, speaks, edge.root(request))
    page = _pages.get(key)
    if page is None:
        response = render(request, template, **context)
        page = _pages[key] = (response.content, _tag(response.content))
    content, tag = page
    response = page_of(content)
    response["ETag"] = tag
    return get_conditional_response(request, etag=tag, response=response) or response


@config.on_change
def forget() -> None:
    """Render every page anew."""
    _pages.clear()


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'


def kept(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """Give an answer a tag of its content, or say that the browser's copy is still right."""
    tag = _tag(response.content)
    response["ETag"] = tag
    return get_conditional_response(request, etag=tag, response=response) or response


def serve(request: HttpRequest, file: File) -> HttpResponseBase:
    """Return a small file of ours: for ever under its versioned address, for a while otherwise."""
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Cache-Control"] = FOREVER if request.GET.get("v") == file.version else A_WHILE
    return kept(request, response)


def go_to(request: HttpRequest, path: str) -> HttpResponse:
    """Send the browser on, by a relative address, with GET (303)."""
    response = HttpResponseRedirect(edge.root(request) + path)
    response.status_code = 303
    response["Cache-Control"] = "no-store"
    return response
