"""What `foyer config show` prints: the whole configuration as it counts, secrets masked."""

from __future__ import annotations

import json

from foyer.config.keys import plain
from foyer.config.schema import Config
from foyer.config.writing import dump


def render(config: Config) -> str:
    """Return the configuration as YAML for people."""
    return dump(plain(config)) + "\n"


def as_json(config: Config) -> str:
    """Return the configuration as JSON for programs."""
    return json.dumps(plain(config), indent=2, ensure_ascii=False) + "\n"
