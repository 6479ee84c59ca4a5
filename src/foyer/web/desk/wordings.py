"""Sentences that moderators write again and again: the owner's, else ours in the language of the applicant."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from foyer.config import current
from foyer.web.desk.letters import Act


def of(act: Act, language: str) -> list[tuple[str, str]]:
    """Return each wording: its name in the active language, and its text in the applicant's; or the owner's own."""
    own = [(it.title, it.text) for it in current().application.templates if it.decision == act]
    if own:
        return own
    names = {
        "approve": [_("Warm welcome"), _("Ask for help any time")],
        "deny": [_("Too little told"), _("Not the right place"), _("Full for now")],
        "ask": [_("Who are you?"), _("Who referred you?"), _("Why here?")],
    }[act]
    with translation.override(language):
        texts = _texts(act)
    return list(zip(names, texts, strict=True))


def _texts(act: Act) -> list[str]:
    return {
        "approve": [
            _("Welcome! We are glad that you are here."),
            _("Welcome! If anything is unclear, ask us any time: we like to help."),
        ],
        "deny": [
            _(
                "We could not tell from your request who you are and what brings you here. "
                "You are welcome to ask again, with a few more words."
            ),
            _("This server is meant for a particular group of people. We think that another one will suit you better."),
            _("We cannot take in more people at the moment. Please ask again in some weeks."),
        ],
        "ask": [
            _("Could you tell us a little more about yourself?"),
            _("Do you know somebody here already? If so, who told you about us?"),
            _("What would you like to use your account here for?"),
        ],
    }[act]
