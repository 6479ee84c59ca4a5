"""What the rules of the moderators say of an application, at each step that tells something new."""

from __future__ import annotations

from foyer.applications.models import Application
from foyer.kit.client_ip import ClientAddress
from foyer.screening.verdicts import Verdict, verdict


def require(*, name: str = "", email: str = "", ip: str | None = None) -> None:
    """Return if no rule refuses.

    Raises:
        NotWelcome: the kind that says what is refused.
    """
    verdict(name=name, email=email, client=_client(ip)).require_welcome()


def of(application: Application) -> Verdict:
    """Return what the rules say of all that is known by now."""
    return verdict(name=application.localpart, email=application.email, client=_client(application.ip))


def _client(ip: str | None) -> ClientAddress | None:
    return ClientAddress(ip, is_known=True) if ip else None
