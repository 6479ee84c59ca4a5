"""The addresses of the desk, a list for each part."""

from __future__ import annotations

from django.urls import path

from foyer.web.desk import acts, deciding, overview, queue, request

frame = [
    path("desk", overview.bare),
    path("desk/", overview.page),
    path("desk/counts", queue.counts),
]
requests = [
    path("desk/queue", queue.page),
    path("desk/decide", deciding.many),
    path("desk/undo", acts.undo_many),
    path("desk/requests/<int:number>", request.page),
    path("desk/requests/<int:number>/<str:decision>", deciding.one),
    path("desk/requests/<int:number>/act/<str:act>", acts.page),
]

urlpatterns = [*frame, *requests]
