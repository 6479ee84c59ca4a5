"""What people type, before it is kept."""

from __future__ import annotations

from foyer.applications.errors import EmailMalformed, TextMissing, TextTooLong

MAX_TEXT_LENGTH = 5000
MAX_EMAIL_LENGTH = 254


def cleaned(text: str) -> str:
    """Return the text without what no database can keep (NUL, half of a surrogate pair), and with plain line ends."""
    whole = text.replace("\0", "").encode("utf-8", "ignore").decode()
    return whole.replace("\r\n", "\n").strip()


def required(text: str) -> str:
    """Return what was written.

    Raises:
        TextMissing, TextTooLong
    """
    text = cleaned(text)
    if not text:
        raise TextMissing
    if len(text) > MAX_TEXT_LENGTH:
        raise TextTooLong(max_length=MAX_TEXT_LENGTH)
    return text


def optional(text: str) -> str:
    """Return what was written, if anything.

    Raises:
        TextTooLong
    """
    return required(text) if cleaned(text) else ""


def allowed_email(text: str) -> str:
    """Return the email as it was given, tags and capitals included, if it can be one. Asks nobody.

    Raises:
        EmailMalformed
    """
    from email_validator import EmailNotValidError, validate_email  # its expressions take long to be made

    email = cleaned(text)
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        raise EmailMalformed from None
    if len(email) > MAX_EMAIL_LENGTH:
        raise EmailMalformed
    return email
