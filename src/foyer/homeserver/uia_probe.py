"""What `foyer doctor` wants to know of a server at which we register as a client. It makes no account."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import HomeserverError, Misconfigured, filled
from foyer.homeserver.port import Finding, Level, Probe
from foyer.homeserver.probing import accounts, fault_of, finding, software
from foyer.homeserver.uia_registration import TOKEN, WRONG_TOKEN, Registration, cannot_do

CAN_NO_MORE = _(
    "By its registration token Foyer makes accounts. It cannot hold them for an application, attach emails, put people "
    "into rooms or send a welcome."
)
WHO_CAN = _(
    "Synapse and Tuwunel can, by an admin's access token. Elsewhere auto_join_rooms of the homeserver may help."
)


def examine(api: ClientAPI, registration: Registration) -> Probe:
    """Look at the server, at how one registers there, and at what that leaves out."""
    try:
        version = software(api)
    except HomeserverError as error:
        return Probe(None, (fault_of(api, error),))
    shown = filled(_("%(url)s answers: %(version)s."), url=api.client.url, version=version or "?")
    findings = [finding(Level.OK, shown)]
    faults = list(accounts(api))
    if faults:
        return Probe(version, (*findings, *faults))
    findings += _registration(registration)
    findings.append(finding(Level.WARNING, CAN_NO_MORE, WHO_CAN))
    return Probe(version, tuple(findings))


def _registration(registration: Registration) -> Iterator[Finding]:
    """Say whether one can register, in which stages, and whether our token is known."""
    try:
        conversation = registration.flows()
        way = conversation.way()
        if way is None:
            raise Misconfigured(remedy=cannot_do(conversation))
        if registration.token_is_valid() is False:
            raise Misconfigured(remedy=WRONG_TOKEN)
    except Misconfigured as error:
        yield finding(Level.FAULT, _("Foyer cannot register people at the homeserver."), error.remedy)
    except HomeserverError as error:
        yield finding(Level.WARNING, _("Whether Foyer can register people could not be found out."), error.detail)
    else:
        yield finding(Level.OK, _("Foyer can register people at the homeserver."))
        if any(TOKEN not in flow for flow in conversation.flows):
            yield finding(
                Level.WARNING,
                _("People can register at the homeserver without an invitation, and without Foyer."),
                _("Let registration there need a registration token (registration_requires_token at Synapse)."),
            )
