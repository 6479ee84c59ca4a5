from __future__ import annotations

from typing import Any

import pytest
from django.core.signals import request_finished
from django.test import RequestFactory

from foyer.wsgi import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished() -> Any:
    """How often Django was told that a request is over: only then it looks after its connections."""
    times: list[object] = []

    def note(**_: object) -> None:
        times.append(1)

    request_finished.connect(note)
    yield times
    request_finished.disconnect(note)


@pytest.mark.parametrize("path", ["/", "/register", "/nowhere", "/healthz"])
def test_page_goes_to_the_server_in_one_piece(path: str, finished: list[object]) -> None:
    said: list[tuple[str, list[tuple[str, str]]]] = []

    answer = build()(RequestFactory().get(path).META, lambda *start: said.append(start))

    assert isinstance(answer, list)
    [(_, headers)] = said
    assert dict(headers)["Content-Length"] == str(len(b"".join(answer)))
    assert len(finished) == 1
