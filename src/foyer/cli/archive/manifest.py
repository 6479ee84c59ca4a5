"""What a backup says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

FORMAT = 1
MANIFEST = "backup.json"
SECRET_KEY = "secret-key"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`migrations` are `app.name`, `rows` counts by table, `key_digest` tells one secret key from another."""

    format: int
    foyer: str
    made_at: str
    server_name: str
    database: str
    migrations: list[str]
    rows: dict[str, int]
    key_digest: str

    @property
    def moment(self) -> datetime:
        """Return when it was made, aware."""
        return datetime.fromisoformat(self.made_at)

    def as_bytes(self) -> bytes:
        """Return it as it stands in the file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Manifest:
        """Read it.

        Raises:
            ValueError: it is none of a kind that this version knows.
        """
        said = json.loads(text)
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise ValueError("another format")
        try:
            manifest = cls(**said)
            manifest.moment  # noqa: B018 - it must be one
        except TypeError as error:
            raise ValueError("other keys") from error
        return manifest


def path_of(table: str) -> str:
    """Return where a table's rows stand in the file."""
    return f"tables/{table}.jsonl"
