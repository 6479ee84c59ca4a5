"""The connection to the mail server: opened, encrypted, signed in; kept while the next mail follows at once."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from foyer.config import current
from foyer.config.schema import Email
from foyer.notify.errors import MailMisconfigured
from foyer.notify.smtp_errors import meaning_of

OK = 250
GOODBYE_SECONDS = 5.0
MAILS_ON_ONE = 20
"""Servers take some dozens of mails on one connection, and then ask for another."""


class _Kept(threading.local):
    """What a thread has kept open: for which configuration, and how many mails went through it."""

    client: smtplib.SMTP | None = None
    email: Email | None = None
    mails = 0


_kept = _Kept()


@contextlib.contextmanager
def session(step_seconds: float, longest_seconds: float, *, keep: bool = False) -> Iterator[smtplib.SMTP]:
    """Give a connection that is encrypted and signed in as configured; what breaks in it gets its meaning.

    `keep`: it stays open for this thread's next session, until hang_up(). A session that breaks is never kept.
    """
    email = current().email
    if email.host is None:
        raise MailMisconfigured(remedy=_("Set email.host, or nothing can be mailed."))
    try:
        client = _taken_up(email, step_seconds, longest_seconds)
        is_new = client is None
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(contextlib.closing(client or _connect(email, step_seconds)))
            with _deadline(client, longest_seconds):
                if is_new:
                    _secure(client, email)
                    _sign_in(client, email)
                yield client
                if not keep:
                    _say_goodbye(client)
            if keep:
                _kept.client, _kept.email, _kept.mails = client, email, 1 if is_new else _kept.mails + 1
                stack.pop_all()
    except (smtplib.SMTPException, OSError) as error:
        raise meaning_of(error, email) from error


def hang_up() -> None:
    """Close what this thread has kept open."""
    client, _kept.client = _kept.client, None
    if client is not None:
        with contextlib.closing(client):
            _say_goodbye(client)


def _taken_up(email: Email, step_seconds: float, longest_seconds: float) -> smtplib.SMTP | None:
    """Return what was kept, if it is still good. Asking first is what lets a mail be sent on it without a doubt."""
    client = _kept.client
    if client is None or client.sock is None or _kept.email is not email or _kept.mails >= MAILS_ON_ONE:
        hang_up()
        return None
    _kept.client = None
    with contextlib.suppress(smtplib.SMTPException, OSError), _deadline(client, longest_seconds):
        client.sock.settimeout(step_seconds)
        if client.noop()[0] == OK:
            return client
    client.close()
    return None


def _say_goodbye(client: smtplib.SMTP) -> None:
    # The mail is taken. Whatever the answer to QUIT is, nothing may make us send it again.
    with contextlib.suppress(smtplib.SMTPException, OSError):
        if client.sock is not None:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()


def _connect(email: Email, step_seconds: float) -> smtplib.SMTP:
    host = urlsplit(current().public_url).hostname or ""
    said = host if "." in host else None  # many servers turn away a client that calls itself localhost
    if email.security == "tls":
        return smtplib.SMTP_SSL(
            str(email.host), email.port, local_hostname=said, timeout=step_seconds, context=ssl.create_default_context()
        )
    return smtplib.SMTP(str(email.host), email.port, local_hostname=said, timeout=step_seconds)


def _secure(client: smtplib.SMTP, email: Email) -> None:
    client.ehlo_or_helo_if_needed()
    if email.security != "starttls":
        return
    if not client.has_extn("starttls"):
        remedy = _(
            "The mail server does not offer STARTTLS on port %(port)s. Set email.security to tls (mostly port 465), or "
            "to none for a server on this machine."
        )
        raise MailMisconfigured(remedy=remedy % {"port": email.port})
    client.starttls(context=ssl.create_default_context())


def _sign_in(client: smtplib.SMTP, email: Email) -> None:
    if not (email.username and email.password):
        return
    try:
        client.login(email.username, email.password.get_secret_value())
    except smtplib.SMTPNotSupportedError as error:
        remedy = _("The mail server lets nobody sign in on port %(port)s. Remove email.password, or mend email.port.")
        raise MailMisconfigured(remedy=remedy % {"port": email.port}) from error
    except UnicodeEncodeError:  # the error's text would hold the password
        remedy = _("email.username and email.password may hold only ASCII characters.")
        raise MailMisconfigured(remedy=remedy) from None


@contextlib.contextmanager
def _deadline(client: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Hang up when it takes too long in all: each step's time-out begins anew with every byte that drips in."""
    timer = threading.Timer(seconds, _hang_up, [client])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(client: smtplib.SMTP) -> None:
    if client.sock is not None:
        with contextlib.suppress(OSError):  # it is gone already
            client.sock.shutdown(socket.SHUT_RDWR)
