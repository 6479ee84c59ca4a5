"""The base of every "no" that a person may be told.

Each room draws its own tree of refusals at the top of its `errors.py`. A refusal has a kebab-case
code that page, API, log and audit share, and one sentence that says what happened and what to do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.utils.formats import date_format
from django.utils.functional import Promise


class Refusal(Exception):
    """A request that is refused for a reason that the person who made it may know.

    Subclasses set `code`, `sentence` (lazily translated; `%(name)s` takes the parameter of that name),
    `field` (the form field it belongs to, or None) and `status` (the HTTP status).
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str | Promise] = ""
    field: ClassVar[str | None] = None
    status: ClassVar[int] = 400

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params

    def __str__(self) -> str:
        """Return the sentence in the active language."""
        text = str(self.sentence)
        return text % {name: _readable(value) for name, value in self.params.items()} if self.params else text


def _readable(value: Any) -> Any:
    """Return an instant as the date in the active language; anything else as it is."""
    return date_format(value, "DATE_FORMAT") if isinstance(value, datetime) else value
