"""Sending a browser on to an address that Django made."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect


def redirect(url: str) -> HttpResponse:
    """Send the browser on, with GET (303); nobody keeps it."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    response["Cache-Control"] = "no-store"
    return response
