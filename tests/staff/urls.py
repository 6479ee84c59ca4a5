"""The addresses of Foyer and of its staff, and some views as the desk will have them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver, path

from foyer.urls import handler400, handler403, handler404, handler429, handler500
from foyer.urls import urlpatterns as public
from foyer.web.staff.guard import actor, admins_only, staff_only

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]


def unmarked(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse("unmarked")


@staff_only
def queue(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(f"queue of {actor(request)}")


@admins_only
def rules(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse("rules")


urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/unmarked", unmarked),
    path("desk/queue", queue),
    path("desk/rules", rules),
    path("admin/unmarked", unmarked),
    path("outside/queue", queue),
    *public,
]
