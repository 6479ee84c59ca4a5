"""Pages on other origins: what their scripts may read, by `api.cors_origins`.

A middleware, and the outermost one, so that an owner's page also reads the answers that no view gave: too large, too
many, something broke.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from foyer.config import current

PATHS = ("/register", "/api/token", "/api/version", "/token", "/health")
FOLDERS = ("/api/token/", "/token/")
SPECIFICATION = "/_matrix/client/"
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = "Authorization, Content-Type, X-Requested-With"
EXPOSED = "Retry-After, X-Request-Id"
PREFLIGHT_SECONDS = "600"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class CrossOrigin:
    """Add the CORS headers to answers of the predecessor's routes, and to those of the Matrix specification."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        response = self.get_response(request)
        path = request.path_info
        if path.startswith(SPECIFICATION):
            _allow(request, response, "*")  # https://spec.matrix.org/v1.11/client-server-api/#web-browser-clients
        elif path in PATHS or path.startswith(FOLDERS):
            _allow_owners(request, response)
        return response


def _allow_owners(request: HttpRequest, response: HttpResponseBase) -> None:
    origins = current().api.cors_origins
    if "*" in origins:
        _allow(request, response, "*")
        return
    if origins:
        patch_vary_headers(response, ["Origin"])
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin in origins:
        _allow(request, response, origin)


def _allow(request: HttpRequest, response: HttpResponseBase, origin: str) -> None:
    response["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = METHODS
        response["Access-Control-Allow-Headers"] = HEADERS
        response["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    else:
        response["Access-Control-Expose-Headers"] = EXPOSED
