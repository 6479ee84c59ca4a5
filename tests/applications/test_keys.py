from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from foyer.applications import decisions, keys, services
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.notify.messages import AlreadyApplied, Question, Verification
from tests.applications.acts import ANNA, begin, fresh, in_state, mail, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ANOTHER = "quite another key, which the owner put in its place"


@pytest.fixture
def client() -> Client:
    """A browser that sees what people see."""
    return Client(HTTP_HOST="localhost:5000")


def path_in(link: str) -> str:
    return link.removeprefix("http://localhost:5000")


def test_link_in_a_question_leads_to_the_application_after_a_change_of_the_secret_key(
    homeserver: MemoryHomeserver, settings: Settings, client: Client
) -> None:
    application = waiting()
    settings.SECRET_KEY = ANOTHER

    decisions.ask(application.id, ANNA, "Who told you, Maria?")
    question = mail(application, "question")

    assert isinstance(question, Question)
    page = client.get(path_in(question.link))
    assert page.status_code == 200
    assert "Who told you, Maria?" in page.content.decode()


def test_who_applies_again_after_a_change_of_the_secret_key_is_mailed_a_link_that_leads_there(
    homeserver: MemoryHomeserver, settings: Settings, client: Client
) -> None:
    application = waiting()
    settings.SECRET_KEY = ANOTHER

    begin("erika", application.email)
    told = mail(application, "already-applied")

    assert isinstance(told, AlreadyApplied)
    assert client.get(path_in(told.link)).status_code == 200


def test_mailed_proof_leads_to_the_application_after_a_change_of_the_secret_key(
    homeserver: MemoryHomeserver, settings: Settings, client: Client
) -> None:
    application = begin()
    settings.SECRET_KEY = ANOTHER
    Application.objects.update(mailed_at=None)
    services.resend(application)

    proof = mail(application, "verification")
    assert isinstance(proof, Verification)
    after = client.post(path_in(proof.link))

    assert after.status_code == 303
    assert client.get(f"/apply/{keys.status_key(fresh(application))}/about").status_code == 200
    assert in_state(application, State.VERIFIED)
