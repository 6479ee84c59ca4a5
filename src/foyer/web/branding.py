"""The owner's name, sentence, logo and colour, as every page needs them. Made once per configuration."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

from markupsafe import Markup

from foyer import config
from foyer.config import current
from foyer.web.colour import stylesheet

LOGO_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
}
MAX_LOGO_BYTES = 1024 * 1024

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path fill="{accent}" d="M4 32V14a12 12 0 0 1 24 0v18z"/><path fill="#ffdf9a" d="M15 32V17a4 4 0 0 1 8 0v15z"/></svg>
"""


@dataclass(frozen=True, slots=True)
class File:
    """Something small that is served from our own origin; `version` changes with its content."""

    content: bytes
    content_type: str

    @property
    def version(self) -> str:
        """Return a short digest of the content."""
        return hashlib.sha256(self.content).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Brand:
    """What the templates show of the owner. The paths are relative to where Foyer begins; no logo is ``""``."""

    name: str
    name_marked: Markup
    tagline: str
    theme: str
    icon: str
    logo: str


@functools.cache
def theme() -> File:
    """Return the stylesheet with the owner's accent colour."""
    return File(stylesheet(current().branding.accent).encode(), "text/css; charset=utf-8")


@functools.cache
def icon() -> File:
    """Return the little door that stands in the browser's tab, in the owner's colour."""
    return File(ICON.format(accent=current().branding.accent).encode(), "image/svg+xml")


@functools.cache
def logo() -> File | None:
    """Return the owner's logo; None where there is none, or it cannot be read as a picture."""
    path = current().branding.logo
    if path is None:
        return None
    content_type = LOGO_TYPES.get(path.suffix.lower())
    try:
        if content_type is None or path.stat().st_size > MAX_LOGO_BYTES:
            return None
        return File(path.read_bytes(), content_type)
    except OSError:
        return None


@functools.cache
def brand() -> Brand:
    """Return the brand of the current configuration."""
    now = current()
    picture = logo()
    name = now.display_name
    return Brand(
        name=name,
        name_marked=Markup("<em><bdi>{}</bdi></em>").format(name),
        tagline=now.branding.tagline or "",
        theme=f"register/theme.css?v={theme().version}",
        icon=f"register/icon.svg?v={icon().version}",
        logo=f"register/logo?v={picture.version}" if picture else "",
    )


@config.on_change
def forget() -> None:
    """Drop what was made from another configuration."""
    for made in (theme, icon, logo, brand):
        made.cache_clear()
