"""From what the schema refuses to sentences for the owner, with secrets left out."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from foyer.config.database import MASK
from foyer.config.errors import Problem, key_and_entry
from foyer.config.keys import Key, all_keys, block_of, by_path, keys_of, name_of
from foyer.config.schema import Config

LONGEST_VALUE = 80
# What the keys of the two predecessors, and words that people try, are called here.
ELSEWHERE = {
    "server_location": "homeserver.url",
    "synapse": "homeserver",
    "domain": "server_name",
    "shared_secret": "homeserver.registration_shared_secret",
    "admin_api_shared_secret": "api.legacy_shared_secret",
    "admin_secret": "api.legacy_shared_secret",
    "base_url": "public_url",
    "client_redirect": "after.clients",
    "riot_instance": "after.clients",
    "client_logo": "branding.logo",
    "logo_url": "branding.logo",
    "db": "database",
    "host": "listen",
    "port": "listen",
    "rate_limit": "screening.join_per_ip",
    "allow_cors": "api.cors_origins",
    "ip_logging": "retention.ips",
    "logging": "log",
    "debug": "log.level",
    "username": "usernames",
    "validation_regex": "usernames.must_match",
    "invalidation_regex": "usernames.must_not_match",
    "verify_cert": "homeserver.verify_tls",
    "ssl": "email.security",
    "tls": "email.security",
    "admin": "moderators.emails",
    "trust_proxy": "trusted_proxies",
    "auto_join": "after.rooms",
    "consent_version": "homeserver.consent.version",
    "form_secret": "homeserver.consent.form_secret",
}


def problem_of(error: ErrorDetails, place: Callable[[Sequence[int | str]], str]) -> Problem:
    """Return one refusal of the schema in words; `place` says where a path was written."""
    path = error["loc"]
    key, entry = key_and_entry(path)
    kind, value, context = error["type"], "", error.get("ctx", {})
    if kind == "missing":
        sentence = f"This key is required. {_doc(path)}"
    elif kind == "extra_forbidden":
        sentence = f"Foyer has no such key. {_remedy(path)}"
    elif kind == "model_type":
        sentence = "Give a block of keys here, each on a line of its own and indented."
    else:
        value = shown(error["input"], by_path().get(tuple(key.split("."))))
        sentence = str(context.get("error", "Foyer cannot read this value. Look the key up in docs/configuration.md."))
        if kind == "literal_error":
            sentence = f"Choose {context['expected']}.".replace("'", "")
    return Problem(key, value, entry + sentence, place(path))


def shown(value: Any, key: Key | None) -> str:
    """Return a value fit to be shown: one line, no secret, no more than a glance."""
    if not isinstance(value, (str, bool, int, float)):
        return ""
    text = str(value)
    if key is not None and (key.is_secret or (key.may_be_a_file and not text.startswith("sqlite:"))):
        return MASK
    text = re.sub(r"^.*:.*@", f"{MASK}@", text, flags=re.DOTALL)
    text = json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST_VALUE else f'{text[: LONGEST_VALUE - 2]}…"'


def _model_at(path: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the block that a path leads to, as far as it leads."""
    model: type[BaseModel] = Config
    for part in path:
        fields = {name_of(name, field): field for name, field in model.model_fields.items()}
        if part in fields:
            found = block_of(fields[str(part)])
            entry = next((key.entry for key in keys_of(model) if key.path == (part,)), None)
            model = found or entry or model
    return model


def _doc(path: tuple[int | str, ...]) -> str:
    fields = {name_of(name, field): field for name, field in _model_at(path[:-1]).model_fields.items()}
    field = fields.get(str(path[-1]))
    return (field.description or "") if field else ""


def _remedy(path: tuple[int | str, ...]) -> str:
    name = str(path[-1])
    if any(key.dotted == name for key in all_keys()) and "." in name:
        block, _, last = name.rpartition(".")
        return f"Write {block} as a block, with {last} indented below it."
    near = nearest(name, path[:-1])
    return f"Did you mean {near}?" if near else "Remove it."


def nearest(name: str, block: tuple[int | str, ...]) -> str:
    """Return the key that an unknown name in a block most likely means, dotted; empty where none is near."""
    before = "".join(f"{part}." for part in block if isinstance(part, str))
    fields: Mapping[str, Any] = _model_at(block).model_fields
    siblings = [name_of(python, field) for python, field in fields.items()]
    siblings += [
        f"{key.path[-1]}_file" for key in keys_of(_model_at(block)) if key.may_be_a_file and len(key.path) == 1
    ]
    close = difflib.get_close_matches(name.lower(), siblings, n=1, cutoff=0.75)
    if close:
        return before + close[0]
    leaves = {key.path[-1]: key.dotted for key in reversed(all_keys())}
    if name in leaves or name in ELSEWHERE:
        return ELSEWHERE.get(name) or leaves[name]
    if close := difflib.get_close_matches(name.lower(), siblings, n=1, cutoff=0.5):
        return before + close[0]
    close = difflib.get_close_matches(name.lower(), leaves, n=1, cutoff=0.6)
    return leaves[close[0]] if close else ""
