"""What the double of a Matrix Authentication Service keeps, and how it shows and checks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zxcvbn import zxcvbn

from foyer.kit.clock import now
from tests.homeserver.mas_schema import API, Operation, wrong
from tests.support.listening import Asked, Reply

SOME_CLIENT = "01J44QC8BCY7FCFM7WGHQGKMTJ"


@dataclass
class Person:
    """One account there, open to the eyes of tests."""

    id: str
    username: str
    created_at: datetime
    locked_at: datetime | None = None
    deactivated_at: datetime | None = None
    password: str | None = field(default=None, repr=False)


@dataclass
class Session:
    """One sign-in of any kind."""

    id: str
    kind: str
    user_id: str
    created_at: datetime
    ended_at: datetime | None = None
    device: str | None = None


@dataclass
class RegistrationToken:
    """One of the service's own."""

    id: str
    token: str
    usage_limit: int | None
    expires_at: datetime | None
    created_at: datetime
    times_used: int = 0
    revoked_at: datetime | None = None

    @property
    def is_valid(self) -> bool:
        """Somebody could register with it now."""
        is_over = self.expires_at is not None and self.expires_at <= now()
        is_spent = self.usage_limit is not None and self.times_used >= self.usage_limit
        return not (is_over or is_spent or self.revoked_at)


def complaints(asked: Asked, operation: Operation) -> Iterator[str]:
    """Yield what is wrong with a request."""
    if operation.body is None and asked.text:
        yield "takes no body"
    if operation.body is not None:
        if asked.content_type != "application/json":
            yield f"content type {asked.content_type!r}"
        yield from wrong(asked.body, operation.body, "body")
    if "application/json" not in asked.headers.get("accept", ""):
        yield f"accepts {asked.headers.get('accept')!r}"
    for key, values in asked.query.items():
        if key not in operation.query or len(values) > 1:
            yield f"query {key} is not known"
        else:
            yield from wrong(values[0], operation.query[key], f"query {key}")


def misanswered(operation: Operation, reply: Reply) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    if reply.status not in operation.replies:
        yield f"status {reply.status}"
        return
    shape = operation.replies[reply.status]
    if shape is None:
        yield from ["a body"] if reply.body is not None else []
    else:
        yield from wrong(reply.body, shape, "answer")


def matches(entry: dict[str, Any], query: dict[str, str]) -> bool:
    """Say whether a filter lets it through."""
    user, email = query.get("filter[user]"), query.get("filter[email]")
    attributes = entry["attributes"]
    return user in (None, attributes["user_id"]) and email in (None, attributes["email"])


def shown_session(session: Session) -> dict[str, Any]:
    """Return a session as it is listed."""
    common = {"created_at": spelled(session.created_at)}
    if session.kind == "personal-sessions":
        attributes = {**common, "revoked_at": spelled(session.ended_at), "actor_user_id": session.user_id}
        attributes |= {"human_name": "an admin's", "scope": "urn:matrix:client:api:*"}
    else:
        attributes = {**common, "finished_at": spelled(session.ended_at), "user_id": session.user_id}
    if session.kind == "compat-sessions":
        attributes |= {"device_id": session.device}
    if session.kind == "oauth2-sessions":
        attributes |= {"client_id": SOME_CLIENT, "scope": "urn:matrix:client:api:*"}
    return resource(session.kind.removesuffix("s"), session.kind, session.id, attributes)


def shown_token(token: RegistrationToken) -> dict[str, Any]:
    """Return a registration token as it is listed."""
    attributes = {
        "token": token.token,
        "valid": token.is_valid,
        "usage_limit": token.usage_limit,
        "times_used": token.times_used,
        "created_at": spelled(token.created_at),
        "last_used_at": None,
        "expires_at": spelled(token.expires_at),
        "revoked_at": spelled(token.revoked_at),
    }
    return resource("user-registration_token", "user-registration-tokens", token.id, attributes)


def resource(kind: str, plural: str, identifier: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return one resource."""
    links = {"self": f"{API}/{plural}/{identifier}"}
    return {"type": kind, "id": identifier, "attributes": attributes, "links": links}


def single(resource: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return an answer that is one resource."""
    return {"data": resource, "links": {"self": path or resource["links"]["self"]}}


def refusal(status: int, *titles: str) -> Reply:
    """Return an error as the admin API spells it."""
    return Reply(status, {"errors": [{"title": title} for title in titles]})


def matrix_refusal(status: int, errcode: str, error: str) -> Reply:
    """Return an error as Matrix spells it."""
    return Reply(status, {"errcode": errcode, "error": error})


def spelled(moment: datetime | None) -> str | None:
    """Spell a moment."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def moment_of(text: str | None) -> datetime | None:
    """Read a moment."""
    return None if text is None else datetime.fromisoformat(text)


def score_of(password: str) -> int:
    """Judge a password."""
    return int(zxcvbn(password[:72], max_length=72)["score"]) if password else 0
