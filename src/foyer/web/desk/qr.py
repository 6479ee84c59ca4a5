"""QR codes of links: in a page, as a drawing, as a picture."""

from __future__ import annotations

import functools
import io

import segno
from markupsafe import Markup

PIXELS_A_SQUARE = 10


@functools.lru_cache(maxsize=256)
def drawing(link: str) -> Markup:
    """Return an SVG to stand in a page. The link stands beside it, in words."""
    drawn = segno.make(link, error="m", micro=False).svg_inline(border=3, omitsize=True, svgclass=None, lineclass=None)
    # segno writes nothing but numbers and names of its own.
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704


def file(link: str, kind: str) -> bytes:
    """Return a file of kind svg or png."""
    written = io.BytesIO()
    segno.make(link, error="m", micro=False).save(written, kind=kind, scale=PIXELS_A_SQUARE, border=4)
    return written.getvalue()
