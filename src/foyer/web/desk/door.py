"""Who may come in. No view of the desk goes without `moderators` or `admins`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase

from foyer.kit.actor import Actor
from foyer.web.staff import guard

P = ParamSpec("P")
DeskView = Callable[Concatenate[HttpRequest, "Me", P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in."""

    name: str
    is_admin: bool

    @property
    def actor(self) -> Actor:
        """Return how services and audit know them."""
        return Actor.staff(self.name)


def moderators(view: DeskView[P]) -> View[P]:
    """Let moderators and admins in, and tell the view who it is."""
    return guard.staff_only(_told(view))


def admins(view: DeskView[P]) -> View[P]:
    """Let only admins in, and tell the view who it is."""
    return guard.admins_only(_told(view))


def _told(view: DeskView[P]) -> View[P]:
    @functools.wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        member = guard.member(request)
        return view(request, Me(member.username, member.is_admin), *args, **kwargs)

    return inner
