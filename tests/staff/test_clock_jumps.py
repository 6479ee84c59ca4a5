from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from foyer.jobs.registry import find
from foyer.staff.models import Staff
from tests.staff.conftest import PASSWORD, give_password

pytestmark = [pytest.mark.django_db, pytest.mark.database]

RIGHT = datetime(2027, 3, 14, 9, 26, tzinfo=UTC)


def is_let_in(staff: Staff) -> bool:
    client = Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    return give_password(client, staff.username, PASSWORD).status_code in (302, 303)


def sweep() -> None:
    handler = find("staff.counts")
    assert handler is not None
    handler.deed("")


def test_failed_sign_ins_counted_by_a_wrong_clock_keep_nobody_out(moderator: Staff, stranger: Client) -> None:
    with time_machine.travel(RIGHT + timedelta(days=1)):
        for _ in range(6):
            give_password(stranger, moderator.username, "wrong")
        assert not is_let_in(moderator)
        sweep()
        assert not is_let_in(moderator)  # counts that can be so stay

    with time_machine.travel(RIGHT):
        sweep()
        assert is_let_in(moderator)


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(days=-400)], ids=str)
def test_sign_in_of_a_wrong_clock_ends_and_can_be_done_again(moderator: Staff, jump: timedelta) -> None:
    client = Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    with time_machine.travel(RIGHT):
        assert give_password(client, moderator.username).status_code in (302, 303)
        assert client.get("/desk/queue").status_code == 200
    with time_machine.travel(RIGHT + jump):
        assert client.get("/desk/queue").status_code == 303
        assert is_let_in(moderator)
