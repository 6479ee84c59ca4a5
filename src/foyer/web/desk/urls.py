"""The addresses of the desk, a list for each part."""

from __future__ import annotations

from django.urls import path

from foyer.web.desk import (
    acts,
    deciding,
    health,
    history,
    invitation,
    invitation_edit,
    invitations,
    overview,
    people,
    queue,
    request,
    rules,
)

frame = [
    path("desk", overview.bare),
    path("desk/", overview.page, name="desk"),
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

ways_in = [
    path("desk/invitations", invitations.page),
    path("desk/invitations/new", invitations.new),
    path("desk/invitations/sheet", invitations.sheet),
    path("desk/invitations/<int:number>", invitation.page),
    path("desk/invitations/<int:number>/qr.<str:kind>", invitation.code),
    path("desk/invitations/<int:number>/edit", invitation_edit.page),
    path("desk/invitations/<int:number>/delete", invitation_edit.delete),
    path("desk/invitations/<int:number>/<str:deed>", invitation.act),
    path("desk/people", people.page),
]
order = [
    path("desk/rules", rules.page),
    path("desk/rules/new", rules.new),
    path("desk/rules/<int:number>", rules.one),
    path("desk/rules/<int:number>/edit", rules.edit),
    path("desk/rules/<int:number>/end", rules.end),
]
house = [
    path("desk/history", history.page),
    path("desk/history.<str:kind>", history.export),
    path("desk/health", health.page),
    path("desk/health/<str:kind>/all", health.try_all),
    path("desk/health/<str:kind>/<int:number>", health.try_again),
]

urlpatterns = [*frame, *requests, *ways_in, *order, *house]
