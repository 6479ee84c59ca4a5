"""How the parent speaks: a line for people, or for programs where `log.format` is json."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any


class Voice:
    """Writes lines that look like those of the other processes, without their libraries."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def announce(self, sentence: str, **facts: Any) -> None:
        """Say the one line that a person waits for, on standard output."""
        if self._as_json:
            self._json("info", sentence, facts)
        else:
            print(sentence, flush=True)

    def warn(self, sentence: str, **facts: Any) -> None:
        """Say on standard error that something is not as it should be."""
        if self._as_json:
            self._json("warning", sentence, facts)
        else:
            print(f"{_moment()} [warning  ] {sentence}", file=sys.stderr, flush=True)

    def _json(self, level: str, sentence: str, facts: dict[str, Any]) -> None:
        line = {**facts, "event": sentence, "level": level, "logger": "foyer.serve", "timestamp": _moment()}
        print(json.dumps(line), file=sys.stderr, flush=True)


def _moment() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
