"""What `foyer doctor` wants to know of a Matrix Authentication Service. It makes no account and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, filled
from foyer.homeserver.mas_site import Site, SiteConfig, faults
from foyer.homeserver.mas_synapse import NO_COMPATIBILITY, SignInAtMas, SynapseBesideMas
from foyer.homeserver.port import Finding, Level, Probe
from foyer.homeserver.probing import fault_of, finding
from foyer.homeserver.synapse_rooms import RoomsAPI

NEW_TOKEN = _(
    "`mas-cli manage issue-compatibility-token NAME --yes-i-want-to-grant-synapse-admin-privileges` prints an admin's "
    "access token for an account of yours. Put it into homeserver.admin_token."
)
A_NAME = "foyer.asks"


def examine(
    site: SiteConfig,
    sign_in: SignInAtMas,
    synapse: SynapseBesideMas,
    *,
    rooms_api: RoomsAPI | None,
    rooms: list[str],
) -> Probe:
    """Look at the service, at the Synapse beside it, then at what the credentials leave out."""
    version, found = _service(site)
    findings = list(found)
    if version is not None:
        findings += _compatibility(sign_in)
    findings += _synapse(synapse)
    findings += _token(rooms_api) if rooms_api else _no_token()
    findings += (rooms_api.examine(room) for room in rooms) if rooms_api else ()
    return Probe(version, tuple(findings))


def _service(site: SiteConfig) -> tuple[str | None, list[Finding]]:
    """Return the version, where the service and our client there are as they should be, and what was seen."""
    url = site.api.client.url
    try:
        answer = site.api.call("GET", "/version")
        version = answer.text("version")
        setup = site.read()
    except Misconfigured as error:
        return None, [finding(Level.FAULT, filled(_("Foyer may not make accounts at %(url)s."), url=url), error.remedy)]
    except Busy:
        sentence = _("The Matrix Authentication Service at %(url)s is too busy to answer.")
        return None, [finding(Level.WARNING, filled(sentence, url=url))]
    except HomeserverError as error:
        sentence = _("The Matrix Authentication Service at %(url)s does not answer (%(why)s).")
        remedy = _("Start it, or correct homeserver.mas.url. From this machine, curl must get an answer from there.")
        return None, [finding(Level.FAULT, filled(sentence, url=url, why=error.detail), remedy)]
    sentence = _("%(url)s answers: Matrix Authentication Service %(version)s. Foyer's client may administer it.")
    seen = [finding(Level.OK, filled(sentence, url=url, version=version or "?"))]
    return version or "?", [*seen, *_setup(setup, site.server_name)]


def _setup(setup: Site, server_name: str) -> Iterator[Finding]:
    for fault in faults(setup, server_name):
        yield finding(Level.FAULT, _("Foyer cannot make accounts there as the service is set up."), fault.remedy)
    if setup.complexity:
        sentence = _(
            "Passwords must be hard to guess there (passwords.minimum_complexity: %(score)s). Foyer asks the same of "
            "newcomers."
        )
        yield finding(Level.OK, filled(sentence, score=setup.complexity))
    if setup.is_open and not setup.wants_token:
        yield finding(
            Level.WARNING,
            _("Anybody can register at the Matrix Authentication Service itself, without an invitation."),
            _(
                "In its config.yaml, under `account`, set password_registration_enabled: false, or, for mirrored "
                "invitations, registration_token_required: true (password_registration_token_required in newer "
                "versions)."
            ),
        )
    elif not setup.is_open:
        yield finding(
            Level.OK,
            _(
                "Nobody registers at the service itself. Mirrored invitations (invitations.mirror) would need "
                "account.password_registration_enabled and the required registration token in its config.yaml."
            ),
        )


def _compatibility(sign_in: SignInAtMas) -> Iterator[Finding]:
    """Can Foyer try a password?"""
    url = sign_in.client.url
    warning = _("Foyer cannot try a password there: who presses the button twice may be told to wait.")
    try:
        answer = sign_in.client.get("/_matrix/client/v3/login")
    except HomeserverError as error:
        yield finding(Level.WARNING, warning, error.detail)
        return
    flows = answer.body.get("flows")
    kinds = [flow.get("type") for flow in flows if isinstance(flow, dict)] if isinstance(flows, list) else []
    if not answer.ok or "m.login.password" not in kinds:
        yield finding(Level.WARNING, warning, filled(NO_COMPATIBILITY, url=url))


def _synapse(synapse: SynapseBesideMas) -> Iterator[Finding]:
    """Is there a Synapse, and does it know that its accounts are elsewhere?"""
    url = synapse.client.url
    try:
        versions = synapse.client.get("/_matrix/client/versions")
        if not versions.ok:
            raise synapse.unexpected(versions)
        if ClientAPI(synapse.client).accounts_are_elsewhere():
            yield finding(Level.OK, filled(_("The homeserver at %(url)s leaves its accounts to the service."), url=url))
            return
    except HomeserverError as error:
        yield fault_of(synapse, error)
        return
    yield finding(
        Level.FAULT,
        filled(_("The homeserver at %(url)s makes its own accounts."), url=url),
        _(
            "Set matrix_authentication_service.enabled: true in homeserver.yaml, or, if there is no such service, "
            "homeserver.kind: synapse here."
        ),
    )


def _token(rooms_api: RoomsAPI) -> Iterator[Finding]:
    """Is the token alive, and an admin's? What tells this elsewhere is switched off here."""
    try:
        mxid = rooms_api.admin_mxid()
        has_device = rooms_api.admin.call("GET", "/_matrix/client/v3/account/whoami").text("device_id")
        path = "/_synapse/admin/v1/username_available"
        answer = rooms_api.admin.call("GET", path, query={"username": A_NAME})
        if not answer.ok and answer.errcode not in ("M_USER_IN_USE", "M_INVALID_USERNAME", "M_EXCLUSIVE"):
            raise rooms_api.admin.api.unexpected(answer)
    except Misconfigured:
        yield finding(Level.FAULT, _("The homeserver does not take homeserver.admin_token for an admin's."), NEW_TOKEN)
    except HomeserverError as error:
        yield finding(Level.WARNING, _("Whether the admin token is right could not be found out."), error.detail)
    else:
        if not has_device:
            sentence = _("The admin token belongs to no device. Synapse sends no messages for it.")
            yield finding(Level.WARNING, sentence, NEW_TOKEN)
        yield finding(Level.OK, filled(_("The admin token is that of %(mxid)s, an admin."), mxid=mxid))


def _no_token() -> Iterator[Finding]:
    yield finding(
        Level.WARNING,
        _(
            "With the client's credentials alone Foyer makes, holds and opens accounts and attaches emails. It cannot "
            "put people into rooms or send a welcome."
        ),
        NEW_TOKEN,
    )
