"""What `foyer doctor` asks of every homeserver, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ACCOUNTS_ELSEWHERE, ClientAPI
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, NotPossible, filled
from foyer.homeserver.port import Finding, Level


def accounts(api: ClientAPI) -> Iterator[Finding]:
    """Say who makes the accounts, and whether people can sign in with a password; nothing where all is well."""
    try:
        if api.accounts_are_elsewhere():
            yield finding(
                Level.FAULT,
                filled(_("Foyer cannot make accounts at %(url)s."), url=api.client.url),
                ACCOUNTS_ELSEWHERE,
            )
            return
        flows = api.client.get("/_matrix/client/v3/login").body.get("flows")
        kinds = [flow.get("type") for flow in flows if isinstance(flow, dict)] if isinstance(flows, list) else []
        if "m.login.password" not in kinds:
            yield finding(
                Level.FAULT,
                _("The homeserver lets nobody sign in with a password."),
                _("Switch sign-in by password on; at Synapse that is password_config.enabled in homeserver.yaml."),
            )
    except HomeserverError as error:
        yield fault_of(api, error)


def fault_of(api: ClientAPI, error: HomeserverError) -> Finding:
    """Return what an error during the examination means for the owner."""
    url = api.client.url
    if isinstance(error, Misconfigured | NotPossible):
        return finding(Level.FAULT, filled(_("The homeserver at %(url)s cannot be used."), url=url), error.remedy)
    if isinstance(error, Busy):
        return finding(Level.WARNING, filled(_("The homeserver at %(url)s is too busy to answer."), url=url))
    return finding(
        Level.FAULT,
        filled(_("The homeserver at %(url)s does not answer (%(why)s)."), url=url, why=error.detail),
        _("Start it, or correct homeserver.url. From this machine, curl must get an answer from there."),
    )


def finding(level: Level, sentence: str | Promise, remedy: str | Promise = "") -> Finding:
    """Return a finding in the language of this moment."""
    return Finding(level, str(sentence), str(remedy))


def software(api: ClientAPI) -> str | None:
    """Return name and version; None where the server does not say.

    Raises:
        HomeserverError: nothing usable answers.
    """
    versions = api.client.get("/_matrix/client/versions")
    if not versions.ok:
        raise api.unexpected(versions)
    answer = api.client.get("/_matrix/federation/v1/version")
    server = answer.body.get("server")
    if not answer.ok or not isinstance(server, dict):
        return None
    return f"{server.get('name', '')} {server.get('version', '')}".strip() or None
