"""Why an application does not move on.

Refusal
├── DoorClosed            nobody can apply here at the moment
├── ApplicationUnknown    no application has this key or number
├── EmailMalformed        not an email
├── EmailUnchanged        the correction is what it was
├── AlreadyApplied        the email is proven, and has an application under way already; a mail says where
├── MailedOften           this email was mailed as often as is good today
├── MailTooSoon           the last mail is on its way: wait a moment
├── CodeWrong             other digits
├── CodeSpent             too many wrong ones: have a new code sent
├── CodeExpired           too late: have a new code sent
├── AnswerRefused         (params: question)
│   ├── AnswerMissing
│   ├── AnswerTooShort
│   ├── AnswerTooLong
│   └── AnswerNotAChoice
├── NotAccepted           a text that must be agreed to (params: url, title)
├── NameNotChosen         the name was lost, and no other was chosen yet
├── TextMissing           an empty question, reply or note
├── TextTooLong
├── SubmitBusy            the same form is being sent already
└── WrongState            it has moved on (.state, .decided_by, .decided_at)
    ├── AlreadyDecided    a moderator was first
    └── TooLate           the minute for undoing is over
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class DoorClosed(Refusal):
    """The owner has not opened this way in, or mail and moderators are missing."""

    code = "applications-closed"
    status = 403
    sentence = _("Nobody can apply for an account here at the moment.")


class ApplicationUnknown(Refusal):
    """There is none with this key or number."""

    code = "application-unknown"
    status = 404
    sentence = _("We do not know this request. Check that you have copied the whole link, or apply again.")


class EmailMalformed(Refusal):
    """It cannot be an email."""

    code = "email-malformed"
    field = "email"
    sentence = _("This is not an email. Check it for a typing mistake.")


class EmailUnchanged(Refusal):
    """There is nothing to correct."""

    code = "email-unchanged"
    field = "email"
    sentence = _("This is the email that we have already.")


class AlreadyApplied(Refusal):
    """Only for whoever has proven the email."""

    code = "already-applied"
    field = "email"
    status = 409
    sentence = _("You have asked for an account already. We have mailed you the link to that request.")


class MailedOften(Refusal):
    """More mails would be a nuisance, perhaps to somebody who never asked."""

    code = "email-mailed-often"
    field = "email"
    status = 429
    sentence = _("We have mailed this email several times today. Look into the folder for spam, or try again tomorrow.")
    retry_after = 86_400.0


class MailTooSoon(Refusal):
    """`seconds` more."""

    code = "mail-too-soon"
    status = 429
    sentence = _("The last mail is on its way. You can have another one sent in %(seconds)s seconds.")

    @property
    def retry_after(self) -> float:
        """How long to wait."""
        return float(self.params["seconds"])


class CodeWrong(Refusal):
    """Other digits; `left` more tries."""

    code = "code-wrong"
    field = "code"
    sentence = _("This is not the code that we mailed. Compare it with the newest mail.")


class CodeSpent(Refusal):
    """Too many wrong ones."""

    code = "code-spent"
    field = "code"
    sentence = _("This code was typed wrongly too often. Have a new one sent, or use the button in the mail.")


class CodeExpired(Refusal):
    """Too late."""

    code = "code-expired"
    field = "code"
    sentence = _("This code is too old. Have a new one sent, or use the button in the mail.")


class AnswerRefused(Refusal):
    """An answer that will not do; `question` is its id."""

    code = "answer-refused"
    field = "answers"


class AnswerMissing(AnswerRefused):
    """A required question was not answered."""

    code = "answer-missing"
    sentence = _("Please answer this.")


class AnswerTooShort(AnswerRefused):
    """Shorter than the owner asks."""

    code = "answer-too-short"
    sentence = _("Please write a little more: at least %(min_length)s characters.")


class AnswerTooLong(AnswerRefused):
    """Longer than anybody reads."""

    code = "answer-too-long"
    sentence = _("Please write less: at most %(max_length)s characters.")


class AnswerNotAChoice(AnswerRefused):
    """None of those to choose from."""

    code = "answer-not-a-choice"
    sentence = _("Please choose one of these.")


class NotAccepted(Refusal):
    """A text that must be agreed to was not."""

    code = "not-accepted"
    field = "legal"
    sentence = _("Please read and accept this: %(title)s")


class NameNotChosen(Refusal):
    """The wished name went to somebody else."""

    code = "name-not-chosen"
    field = "username"
    status = 409
    sentence = _("The user name that you wished for is taken by now. Choose another one.")


class TextMissing(Refusal):
    """Nothing was written."""

    code = "text-missing"
    field = "text"
    sentence = _("Write something first.")


class TextTooLong(Refusal):
    """Longer than anybody reads."""

    code = "text-too-long"
    field = "text"
    sentence = _("Please write less: at most %(max_length)s characters.")


class SubmitBusy(Refusal):
    """The other press has not ended yet."""

    code = "submit-busy"
    status = 503
    sentence = _("Your request is being sent. Wait a moment, then open this page again.")
    retry_after = 5.0


class WrongState(Refusal):
    """Somebody, or something, was first."""

    code = "wrong-state"
    status = 409
    sentence = _("This request has moved on meanwhile. Look at it again.")

    def __init__(
        self, *, state: str = "", decided_by: str = "", decided_at: datetime | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self.state = state
        self.decided_by = decided_by
        self.decided_at = decided_at


class AlreadyDecided(WrongState):
    """`who` decided, `when`."""

    code = "already-decided"
    sentence = _("%(who)s has decided on this request already, on %(when)s.")


class TooLate(WrongState):
    """The mail is out, or the account open."""

    code = "too-late-to-undo"
    sentence = _("This decision has taken effect and cannot be undone any more.")
