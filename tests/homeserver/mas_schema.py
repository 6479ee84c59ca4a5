"""What the Matrix Authentication Service takes and answers: the part of its published admin API that Foyer uses.

Written for the double, which checks every request and every answer of its own against this. A shape is a type, an
expression, a dictionary of shapes (a key that ends in `?` may be missing), a list of one shape, or a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
API = "/api/admin/v1"


@dataclass(frozen=True)
class Maybe:
    """This shape, or null."""

    shape: Any


def moment(value: Any) -> bool:
    """A moment as RFC 3339 spells it, with its zone."""
    if not isinstance(value, str) or "T" not in value:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def count(value: Any) -> bool:
    """A whole number that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def score(value: Any) -> bool:
    """What zxcvbn gives."""
    return count(value) and value <= 4


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked. replies: status → shape; None: an empty body."""

    name: str
    method: str
    path: re.Pattern[str]
    replies: Mapping[int, Any]
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)


def wrong(value: Any, shape: Any, where: str = "it") -> Iterator[str]:
    """Yield what does not have the shape. Unknown keys are wrong, since nobody can have meant them."""
    match shape:
        case Maybe():
            yield from wrong(value, shape.shape, where) if value is not None else ()
        case dict():
            yield from _wrong_object(value, shape, where)
        case [inner]:
            items = value if isinstance(value, list) else [value]
            yield from () if isinstance(value, list) else [f"{where} is no list"]
            for number, item in enumerate(items):
                yield from wrong(item, inner, f"{where}[{number}]")
        case _ if not _is(value, shape):
            yield f"{where} is not {getattr(shape, 'pattern', None) or shape.__name__}: {value!r}"


def _is(value: Any, shape: Any) -> bool:
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, type):
        return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    return bool(shape(value))


def _wrong_object(value: Any, shape: dict[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    known = {key.rstrip("?"): (inner, key.endswith("?")) for key, inner in shape.items()}
    yield from (f"{where}.{key} is not known" for key in value if key not in known)
    for key, (inner, may_be_missing) in known.items():
        if key in value:
            yield from wrong(value[key], inner, f"{where}.{key}")
        elif not may_be_missing:
            yield f"{where}.{key} is missing"


ERROR = {"errors": [{"title": str}]}
USER = {
    "username": str,
    "created_at": moment,
    "locked_at?": Maybe(moment),
    "deactivated_at?": Maybe(moment),
    "admin": bool,
    "legacy_guest": bool,
}
EMAIL = {"created_at": moment, "user_id": ULID, "email": str}
TOKEN = {
    "token": str,
    "valid": bool,
    "usage_limit?": Maybe(count),
    "times_used": count,
    "created_at": moment,
    "last_used_at?": Maybe(moment),
    "expires_at?": Maybe(moment),
    "revoked_at?": Maybe(moment),
}
SEEN = {
    "created_at": moment,
    "user_agent?": Maybe(str),
    "last_active_at?": Maybe(moment),
    "last_active_ip?": Maybe(str),
}
SESSIONS: dict[str, dict[str, Any]] = {
    "user-sessions": {**SEEN, "finished_at?": Maybe(moment), "user_id": ULID},
    "compat-sessions": {
        **SEEN,
        "finished_at?": Maybe(moment),
        "user_id": ULID,
        "device_id?": Maybe(str),
        "user_session_id?": Maybe(ULID),
        "redirect_uri?": Maybe(str),
        "human_name?": Maybe(str),
    },
    "oauth2-sessions": {
        **SEEN,
        "finished_at?": Maybe(moment),
        "user_id?": Maybe(ULID),
        "user_session_id?": Maybe(ULID),
        "client_id": ULID,
        "scope": str,
        "human_name?": Maybe(str),
    },
    "personal-sessions": {
        "created_at": moment,
        "revoked_at?": Maybe(moment),
        "owner_user_id?": Maybe(ULID),
        "owner_client_id?": Maybe(ULID),
        "actor_user_id": ULID,
        "human_name": str,
        "scope": str,
        "last_active_at?": Maybe(moment),
        "last_active_ip?": Maybe(str),
        "expires_at?": Maybe(moment),
        "access_token?": Maybe(str),
    },
}
SITE = {
    "server_name": str,
    "password_login_enabled": bool,
    "password_registration_enabled": bool,
    "password_registration_email_required": bool,
    "password_registration_token_required": bool,
    "registration_token_required": bool,
    "email_change_allowed": bool,
    "displayname_change_allowed": bool,
    "password_change_allowed": bool,
    "account_recovery_allowed": bool,
    "account_deactivation_allowed": bool,
    "captcha_enabled": bool,
    "minimum_password_complexity": score,
}
PAGING: dict[str, Any] = {
    "page[before]": ULID,
    "page[after]": ULID,
    "page[first]": re.compile(r"[1-9][0-9]*"),
    "page[last]": re.compile(r"[1-9][0-9]*"),
    "count": re.compile(r"true|false|only"),
}
STATUS = {"filter[status]": re.compile(r"active|finished")}
REVOKED_STATUS = {"filter[status]": re.compile(r"active|revoked")}
NEW_TOKEN = {"token?": Maybe(str), "usage_limit?": Maybe(count), "expires_at?": Maybe(moment)}


def one(attributes: dict[str, Any]) -> dict[str, Any]:
    """An answer that is one resource."""
    return {"data": _resource(attributes), "links": {"self": str}}


def some(attributes: dict[str, Any]) -> dict[str, Any]:
    """An answer that is a page of resources."""
    links = {"self": str, "first?": Maybe(str), "last?": Maybe(str), "next?": Maybe(str), "prev?": Maybe(str)}
    resource = {**_resource(attributes), "meta?": Maybe({"page?": Maybe({"cursor": str})})}
    return {"meta?": Maybe({"count?": Maybe(count)}), "data?": Maybe([resource]), "links": links}


def _resource(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": str, "id": ULID, "attributes": attributes, "links": {"self": str}}


def _path(text: str) -> re.Pattern[str]:
    named = re.escape(API + text).replace(r"\{id\}", f"(?P<id>{ULID.pattern})")
    return re.compile(named.replace(r"\{name\}", "(?P<name>[^/]+)"))


def _user_deed(deed: str, body: Any = None) -> Operation:
    replies = {200: one(USER), 404: ERROR}
    return Operation(deed, "POST", _path(f"/users/{{id}}/{deed}"), replies, body)


def _session_operations() -> Iterator[Operation]:
    for kind, attributes in SESSIONS.items():
        is_personal = kind == "personal-sessions"
        whose = {"filter[actor_user]": ULID} if is_personal else {"filter[user]": ULID}
        status = REVOKED_STATUS if is_personal else STATUS
        replies = {200: some(attributes), 404: ERROR}
        yield Operation(f"list {kind}", "GET", _path(f"/{kind}"), replies, query={**PAGING, **whose, **status})
        deed, late = ("revoke", 409) if is_personal else ("finish", 400)
        ended = {200: one(attributes), late: ERROR, 404: ERROR}
        yield Operation(f"end {kind}", "POST", _path(f"/{kind}/{{id}}/{deed}"), ended)


OPERATIONS: tuple[Operation, ...] = (
    Operation("version", "GET", _path("/version"), {200: {"version": str}}),
    Operation("site-config", "GET", _path("/site-config"), {200: SITE}),
    Operation(
        "add user",
        "POST",
        _path("/users"),
        {201: one(USER), 400: ERROR, 409: ERROR},
        {"username": str, "displayname?": Maybe(str), "avatar_url?": Maybe(str), "skip_homeserver_check?": bool},
    ),
    Operation("by-username", "GET", _path("/users/by-username/{name}"), {200: one(USER), 404: ERROR}),
    Operation(
        "set-password",
        "POST",
        _path("/users/{id}/set-password"),
        {204: None, 400: ERROR, 403: ERROR, 404: ERROR},
        {"password": str, "skip_password_check?": Maybe(bool)},
    ),
    _user_deed("lock"),
    _user_deed("unlock"),
    _user_deed("reactivate"),
    Operation(
        "list emails",
        "GET",
        _path("/user-emails"),
        {200: some(EMAIL), 404: ERROR},
        query={**PAGING, "filter[user]": ULID, "filter[email]": str},
    ),
    Operation(
        "add email",
        "POST",
        _path("/user-emails"),
        {201: one(EMAIL), 409: ERROR, 400: ERROR, 404: ERROR},
        {"user_id": ULID, "email": str},
    ),
    Operation("delete email", "DELETE", _path("/user-emails/{id}"), {204: None, 404: ERROR}),
    *_session_operations(),
    Operation("list tokens", "GET", _path("/user-registration-tokens"), {200: some(TOKEN)}, query=PAGING),
    # 409 is not in the published API; the service has it since it looks before it writes.
    Operation("add token", "POST", _path("/user-registration-tokens"), {201: one(TOKEN), 409: ERROR}, NEW_TOKEN),
    Operation("get token", "GET", _path("/user-registration-tokens/{id}"), {200: one(TOKEN), 404: ERROR}),
    Operation(
        "edit token",
        "PUT",
        _path("/user-registration-tokens/{id}"),
        {200: one(TOKEN), 404: ERROR},
        {"usage_limit?": Maybe(count), "expires_at?": Maybe(moment)},
    ),
    *(
        Operation(
            f"{deed} token",
            "POST",
            _path(f"/user-registration-tokens/{{id}}/{deed}"),
            {200: one(TOKEN), 400: ERROR, 404: ERROR},
        )
        for deed in ("revoke", "unrevoke")
    ),
)


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return what is asked for, and what stands in the path."""
    for operation in OPERATIONS:
        match = operation.path.fullmatch(path)
        if match and operation.method == method:
            return operation, match.groupdict()
    return None
