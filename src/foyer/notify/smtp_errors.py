"""What the answers and failures of an SMTP server mean.

A 4xx says later, a 5xx says no; but many servers keep their no about us, the sender, until they hear the recipient.
So a refused recipient is read closely before an email is called unreachable.
https://www.rfc-editor.org/rfc/rfc3463
"""

from __future__ import annotations

import re
import smtplib
import ssl

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.config.schema import Email
from foyer.notify.errors import (
    AddressRefused,
    MailBusy,
    MailError,
    MailMisconfigured,
    MailRefused,
    MailUnreachable,
)

NEEDS_AUTHENTICATION = frozenset({530, 534, 535, 538})
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_POLICY = "7"


def meaning_of(error: smtplib.SMTPException | OSError, email: Email) -> MailError:
    """Return the error of ours that says what to do about one of smtplib's or of the network's."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            return _recipient(code, _text(text))
        case smtplib.SMTPAuthenticationError() if error.smtp_code >= 500:
            remedy = _("The mail server does not know email.username with email.password. Check both.")
            return MailMisconfigured(remedy=remedy, detail=_code("AUTH", error.smtp_code, _text(error.smtp_error)))
        case smtplib.SMTPResponseException():
            return _answer(error)
        case smtplib.SMTPNotSupportedError():
            return AddressRefused(detail="the mail server knows no SMTPUTF8")
        case ssl.SSLError():
            return MailMisconfigured(remedy=_tls_remedy(error, email), detail=str(error.reason or error))
        case _:
            remedy = _(
                "%(host)s does not answer on port %(port)s. Check email.host, email.port and email.security, and that "
                "no firewall is in between."
            )
            filled = remedy % {"host": email.host, "port": email.port}
            return MailUnreachable(remedy=filled, detail=type(error).__name__)


def _answer(error: smtplib.SMTPResponseException) -> MailError:
    text = _text(error.smtp_error)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _about_us(error.smtp_code, _code("MAIL", error.smtp_code, text), text)
    if isinstance(error, smtplib.SMTPDataError):
        if error.smtp_code >= 500:
            return MailRefused(detail=_code("DATA", error.smtp_code, text))
        return MailBusy(detail=_code("DATA", error.smtp_code, text))
    return _about_us(error.smtp_code, _code("session", error.smtp_code, text), text)


def _recipient(code: int, text: str) -> MailError:
    # The text mostly repeats the email: it may not go anywhere.
    enhanced = _ENHANCED.search(text)
    is_about_us = code in NEEDS_AUTHENTICATION or (enhanced is not None and enhanced[2] == _POLICY)
    detail = _code("RCPT", code, text)
    if code < 500:
        return MailBusy(detail=detail)
    return _about_us(code, detail, "") if is_about_us else AddressRefused(detail=detail)


def _about_us(code: int, detail: str, said: str) -> MailError:
    if code < 500:
        return MailBusy(detail=detail)
    remedy: str | Promise
    if code in NEEDS_AUTHENTICATION:
        remedy = _("The mail server wants a sign-in. Set email.username and email.password.")
    else:
        remedy = _("The mail server takes no mail from us. Check email.from, email.username and email.password.")
    return MailMisconfigured(remedy=remedy, detail=f"{detail} {said}".strip())


def _tls_remedy(error: ssl.SSLError, email: Email) -> str | Promise:
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = _(
            "The certificate of %(host)s is not trusted: %(why)s. Use the name in email.host that it was made for; for "
            "an authority of your own, start Foyer with SSL_CERT_FILE set to the path of its certificate."
        )
        return remedy % {"host": email.host, "why": error.verify_message}
    if email.security == "tls":
        return _("The mail server does not begin with TLS on port %(port)s. Set email.security to starttls.") % {
            "port": email.port
        }
    return _("No encrypted connection to %(host)s came about.") % {"host": email.host}


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _code(step: str, code: int, text: str) -> str:
    enhanced = _ENHANCED.search(text)
    return f"{step}: {code} {enhanced[0]}" if enhanced else f"{step}: {code}"
