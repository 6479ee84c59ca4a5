"""Terms that an applicant accepted count as accepted once the account is open, and not before."""

from __future__ import annotations

import pytest

from foyer.applications import services
from foyer.homeserver.memory import MemoryHomeserver
from tests.applications.acts import ANSWERS, PASSWORD, approved, let_time_pass, verified
from tests.applications.conftest import OPEN
from tests.conftest import Configure

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"title": "House rules", "url": "https://example.org/rules", "must_accept": True}
MORE_RULES = {"title": "More rules", "url": "https://example.org/more", "must_accept": True}


@pytest.fixture(autouse=True)
def asking(configure: Configure, homeserver: MemoryHomeserver) -> None:
    homeserver.asks_consent = True
    configure(**OPEN, legal=[RULES])


def test_approve_records_what_the_applicant_accepted(homeserver: MemoryHomeserver) -> None:
    application = verified()
    services.submit(application, ANSWERS, [RULES["url"]], PASSWORD, PASSWORD)  # type: ignore[list-item]
    let_time_pass(0)
    assert not homeserver.accounts["maria"].consented

    approved(application)

    assert homeserver.accounts["maria"].consented


def test_approve_after_the_owner_added_terms_records_nothing(
    homeserver: MemoryHomeserver, configure: Configure
) -> None:
    application = verified()
    services.submit(application, ANSWERS, [RULES["url"]], PASSWORD, PASSWORD)  # type: ignore[list-item]
    configure(**OPEN, legal=[RULES, MORE_RULES])

    approved(application)

    assert not homeserver.accounts["maria"].consented
