"""A client that registers at the homeserver itself with a registration token, as Element Web does."""

from __future__ import annotations

from typing import Any

from dev.synapse import Synapse

NATIVE: dict[str, Any] = {"enable_registration": True, "registration_requires_token": True}
"""Pass as extra_config to a Synapse where clients may do so."""

PATH = "/_matrix/client/v3/register"


def register_natively(synapse: Synapse, code: str, localpart: str, password: str, *, finish: bool = True) -> bool:
    """Register with this code. False: the homeserver lets nobody in by it (any more).

    finish: False shows the code and goes away.
    """
    body: dict[str, Any] = {"username": localpart, "password": password, "inhibit_login": True}
    status, answer = synapse.request("POST", PATH, body)
    assert status == 401, answer
    session = {"session": answer["session"]}
    body["auth"] = {"type": "m.login.registration_token", "token": code, **session}
    status, answer = synapse.request("POST", PATH, body)
    if status == 401 and "errcode" in answer:
        return False
    assert (status, answer["completed"]) == (401, ["m.login.registration_token"]), answer
    if finish:
        status, answer = synapse.request("POST", PATH, {**body, "auth": {"type": "m.login.dummy", **session}})
        assert status == 200, answer
    return True
