"""The addresses of Foyer, of its staff, and of the desk."""

from __future__ import annotations

from django.urls import include, path

from foyer.urls import handler400, handler403, handler404, handler500
from foyer.urls import urlpatterns as public
from foyer.web.desk import urls as desk

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]

handler429 = "foyer.web.staff.pages.too_many"
_mapped = {str(getattr(it, "pattern", "")) for it in public}

urlpatterns = [
    *public,
    *([] if "desk/queue" in _mapped else desk.urlpatterns),
    path("", include("foyer.web.staff.urls")),
]
