"""What `foyer setup` finds out by itself, so that it need not be asked."""

from __future__ import annotations

from datetime import timedelta

TIMEOUT = timedelta(seconds=5)


def accounts_are_elsewhere(url: str) -> bool:
    """Say whether the homeserver at this URL leaves its accounts to the Matrix Authentication Service."""
    ready_for_sentences()
    from foyer.homeserver.client_api import ClientAPI
    from foyer.homeserver.errors import HomeserverError
    from foyer.homeserver.http import Client

    try:
        return ClientAPI(Client(url, timeout=TIMEOUT)).accounts_are_elsewhere()
    except HomeserverError:
        return False  # what is wrong there is said when everything is tried


def software(url: str) -> str:
    """Return what the homeserver at this URL calls itself, in small letters; empty where it does not say."""
    ready_for_sentences()
    from foyer.homeserver.errors import HomeserverError
    from foyer.homeserver.http import Client

    try:
        said = Client(url, timeout=TIMEOUT).get("/_matrix/federation/v1/version").body.get("server")
    except HomeserverError:
        return ""
    return str(said.get("name", "")).lower() if isinstance(said, dict) else ""


def ready_for_sentences() -> None:
    """Configure Django, without a database: sentences are marked for translation, and Django wants to be asked."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_I18N=False)
