"""The owner's logo, carried inside the mail: nothing is loaded from anywhere when a mail is read."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from foyer import config
from foyer.config import current

LOGO_ID = "logo@foyer"
MAX_BYTES = 100_000
# Mail programs show these; of the others they show a torn picture.
SUBTYPES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif"}


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture: `image/` and this subtype."""

    content: bytes
    subtype: str


@functools.cache
def logo() -> Logo | None:
    """Return the picture; None where there is none, or mails are better without it."""
    path = current().branding.logo
    subtype = SUBTYPES.get(path.suffix.lower()) if path is not None else None
    if path is None or subtype is None:
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return Logo(path.read_bytes(), subtype)
    except OSError:
        return None


@config.on_change
def forget() -> None:
    """Look again under another configuration."""
    logo.cache_clear()
