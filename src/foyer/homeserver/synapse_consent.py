"""Synapse's record of who accepted its terms, by the form behind `/_matrix/consent` that its own people are sent to.

https://element-hq.github.io/synapse/latest/consent_tracking.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import AccountMissing, HomeserverError, Misconfigured, NotPossible, filled
from foyer.homeserver.http import Answer
from foyer.homeserver.port import Finding, Level
from foyer.homeserver.probing import finding

PATH = "/_matrix/consent"
UNKNOWN_USER = "Unknown user"
UNKNOWN_VERSION = "Unknown policy version"
NO_THANKS = "success.html not found"
"""Said after the deed: only the page that thanks is missing."""
WRONG_SECRET = _(
    "homeserver.consent.form_secret is wrong. Copy form_secret from the homeserver's homeserver.yaml (or the text of "
    "the file that form_secret_path names)."
)
NOT_THERE = _(
    "%(url)s has no %(path)s. Add `consent` to the names of a listener's resources in homeserver.yaml and set up "
    "user_consent there, or take homeserver.consent away."
)
NO_SUCH_VERSION = _(
    "The homeserver has no terms of version %(version)s. Put user_consent.version of homeserver.yaml into "
    "homeserver.consent.version."
)


@dataclass
class ConsentForm:
    """The form. version: which terms were accepted, as `user_consent.version` names them."""

    api: ClientAPI
    version: str
    form_secret: str = field(repr=False)

    def accept(self, mxid: str) -> None:
        """Send the form as this person. The same again changes nothing.

        Raises:
            AccountMissing
        """
        answer = self.api.client.call("POST", PATH, form={**self._signed(mxid), "v": self.version})
        if answer.status == 404 and UNKNOWN_USER in answer.page:
            raise AccountMissing(**answer.said)
        if not answer.ok and NO_THANKS not in answer.page:
            raise self._refusal(answer)

    def examine(self) -> Iterator[Finding]:
        """Say whether the form can be sent, by reading it alone."""
        try:
            terms = self.api.client.get_page(PATH, query={"v": self.version})
            if not terms.ok:
                raise self._refusal(terms)
            # The secret is judged before the name is looked for, and nobody has this one.
            signed = self.api.client.get_page(PATH, query={**self._signed("foyer asks"), "v": self.version})
            if not signed.ok and UNKNOWN_USER not in signed.page:
                raise self._refusal(signed)
        except Misconfigured as error:
            yield finding(Level.FAULT, _("That people accepted the terms cannot be recorded."), error.remedy)
        except HomeserverError as error:
            sentence = _("Whether it can be recorded that people accepted the terms could not be found out.")
            yield finding(Level.WARNING, sentence, error.detail)
        else:
            sentence = _("Who accepts the terms here is recorded at the homeserver, as version %(version)s.")
            yield finding(Level.OK, filled(sentence, version=self.version))

    def _signed(self, mxid: str) -> dict[str, str]:
        return {"u": mxid, "h": hmac.new(self.form_secret.encode(), mxid.encode(), hashlib.sha256).hexdigest()}

    def _refusal(self, answer: Answer) -> HomeserverError:
        if answer.status == 403 and "HMAC incorrect" in answer.page:
            return Misconfigured(remedy=WRONG_SECRET, **answer.said)
        if answer.status == 404 and UNKNOWN_VERSION in answer.page:
            return Misconfigured(remedy=filled(NO_SUCH_VERSION, version=self.version), **answer.said)
        if answer.status == 404:
            return Misconfigured(remedy=filled(NOT_THERE, url=self.api.client.url, path=PATH), **answer.said)
        return self.api.unexpected(answer)


def needs_consent() -> NotPossible:
    """Return the error of recording consent where nothing is configured for it."""
    return NotPossible(
        remedy=_("This needs user_consent at Synapse, and its version and form_secret in homeserver.consent."),
        detail="no consent configured",
    )
