"""What `foyer doctor` wants to know of a Synapse. It makes no account and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import HomeserverError, Misconfigured, filled
from foyer.homeserver.http import segment
from foyer.homeserver.port import Finding, Level, Probe
from foyer.homeserver.probing import accounts, fault_of, finding
from foyer.homeserver.synapse_consent import ConsentForm
from foyer.homeserver.synapse_dialect import Dialect
from foyer.homeserver.synapse_rooms import RoomsAPI
from foyer.homeserver.synapse_secret import SharedSecret


def examine(
    api: ClientAPI,
    server_name: str,
    *,
    secret: SharedSecret | None,
    rooms_api: RoomsAPI | None,
    consent: ConsentForm | None,
    dialect: Dialect,
    rooms: list[str],
) -> Probe:
    """Look at the server, then at each credential, then at what these credentials leave out."""
    try:
        version = _version(api)
    except HomeserverError as error:
        return Probe(None, (fault_of(api, error),))
    shown = filled(
        _("%(url)s answers: %(software)s %(version)s."),
        url=api.client.url,
        software=dialect.software,
        version=version or "?",
    )
    findings = [finding(Level.OK, shown)]
    faults = list(accounts(api))
    if faults:
        return Probe(version, (*findings, *faults))  # What else is wrong follows from it.
    findings += secret.examine() if secret else ()
    findings += _token(rooms_api, server_name) if rooms_api else ()
    findings += _missing(dialect, has_secret=secret is not None, has_token=rooms_api is not None)
    findings += consent.examine() if consent else ()
    findings += (rooms_api.examine(room) for room in rooms) if rooms_api else ()
    return Probe(version, tuple(findings))


def _version(api: ClientAPI) -> str | None:
    """Return Synapse's version; None where only the client-server API is passed on to us.

    Raises:
        HomeserverError: nothing usable answers.
    """
    answer = api.client.get("/_synapse/admin/v1/server_version")
    if answer.ok:
        return answer.text("server_version") or None
    versions = api.client.get("/_matrix/client/versions")
    if not versions.ok:
        raise api.unexpected(versions)
    return None


def _token(rooms_api: RoomsAPI, server_name: str) -> Iterator[Finding]:
    """Is the token alive, an admin's, and of this server?"""
    admin = rooms_api.admin
    try:
        mxid = rooms_api.admin_mxid()
        answer = admin.call("GET", f"/_synapse/admin/v1/users/{segment(mxid)}/admin")
        if not answer.ok:
            raise admin.api.unexpected(answer)
        yield finding(Level.OK, filled(_("The admin token is that of %(mxid)s, an admin."), mxid=mxid))
        name = mxid.partition(":")[2]
        if name != server_name:
            sentence = _("The homeserver calls itself %(name)s, and server_name is %(configured)s.")
            yield finding(
                Level.FAULT,
                filled(sentence, name=name, configured=server_name),
                filled(_("Set server_name: %(name)s."), name=name),
            )
    except Misconfigured as error:
        yield finding(Level.FAULT, _("The admin token cannot be used."), error.remedy)
    except HomeserverError as error:
        yield finding(Level.WARNING, _("Whether the admin token is right could not be found out."), error.detail)


def _missing(dialect: Dialect, *, has_secret: bool, has_token: bool) -> Iterator[Finding]:
    if not has_secret and not has_token:
        yield finding(
            Level.FAULT,
            _("Foyer has no credential to make accounts with."),
            _(
                "Copy registration_shared_secret from homeserver.yaml into homeserver.registration_shared_secret, or "
                "put an admin's access token into homeserver.admin_token; both together are best."
            ),
        )
    elif not has_token:
        yield finding(
            Level.WARNING,
            _(
                "With the shared secret alone Foyer makes accounts. It cannot hold them for an application, attach "
                "emails, put people into rooms or send a welcome."
            ),
            _("Put the access token of an admin of the homeserver into homeserver.admin_token."),
        )
    elif not has_secret and dialect.claims:
        yield finding(
            Level.OK,
            _(
                "With the admin token alone an account is made in two steps. With "
                "homeserver.registration_shared_secret it would be one."
            ),
        )
    if has_token and dialect.lacking:
        yield finding(Level.WARNING, _("Foyer cannot hold accounts until someone says yes."), dialect.why)
    elif has_token:
        yield finding(
            Level.OK,
            _(
                "Foyer can hold accounts until someone says yes. If homeserver.yaml has auto_join_rooms, even a held "
                "account is put there at once; then set application.password: when_approved."
            ),
        )
