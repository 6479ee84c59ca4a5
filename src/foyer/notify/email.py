"""Mails, over SMTP.

A mail is sent by a job, which may run twice: killed between the server's yes and the commit, it cannot know. Every try
of one delivery has the same Message-ID, by which mail programs and servers tell a copy.
"""

from __future__ import annotations

import contextlib
import secrets
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from foyer.config import current
from foyer.config.schema import Email
from foyer.kit.clock import now
from foyer.notify.errors import AddressRefused, MailMisconfigured
from foyer.notify.logo import LOGO_ID, logo
from foyer.notify.messages import Content
from foyer.notify.rendering import clean
from foyer.notify.smtp_errors import meaning_of

STEP_SECONDS = 30.0
LONGEST_SECONDS = 120.0
GOODBYE_SECONDS = 5.0
# Nothing that is not ASCII travels as it is, and no line is longer than 78: https://www.rfc-editor.org/rfc/rfc2045#section-6
POLICY = SMTP.clone(cte_type="7bit")


_show: Callable[[EmailMessage], None] | None = None


def is_configured() -> bool:
    """Say whether the owner has named a mail server at all."""
    return current().email.host is not None


def send(
    content: Content,
    *,
    to: str,
    message_id: str,
    step_seconds: float = STEP_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> None:
    """Hand a mail over to the mail server. Call outside of any transaction; it may take `longest_seconds`.

    `message_id` (such as new_message_id() makes) is the same whenever this mail is sent again.

    Raises:
        MailUnreachable, MailBusy, MailMisconfigured: time, or the owner, heals it.
        AddressRefused, MailRefused: nothing does.
    """
    message = compose(content, to=to, message_id=message_id)
    if _show is not None:
        _show(message)
        return
    with _session(step_seconds, longest_seconds) as client:
        client.send_message(message)


@contextlib.contextmanager
def shown_to(show: Callable[[EmailMessage], None]) -> Iterator[None]:
    """Give every mail of this process to `show`, and to no mail server, while the block runs. For rehearsals."""
    global _show
    _show = show
    try:
        yield
    finally:
        _show = None


def new_message_id() -> str:
    """Return one that no other mail has."""
    try:
        domain = _sender().domain
    except MailMisconfigured:  # it is mended before the mail goes
        domain = urlsplit(current().public_url).hostname or "localhost"
    return f"<{secrets.token_hex(16)}@{domain}>"


def probe(*, step_seconds: float = 10.0) -> None:
    """Go as far as one can without sending a mail: connect, encrypt, sign in. For `doctor`.

    Raises:
        MailError: with what is wrong, and the remedy.
    """
    with _session(step_seconds, LONGEST_SECONDS) as client:
        client.noop()


def compose(content: Content, *, to: str, message_id: str) -> EmailMessage:
    """Return the whole mail, headers and all.

    Raises:
        AddressRefused: `to` is not an email at all.
        MailMisconfigured: there is nobody that the mail could come from.
    """
    sender = _sender()
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = _recipient(to)
    message["Subject"] = clean(content.subject)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = message_id
    # No holiday notice may come back: https://www.rfc-editor.org/rfc/rfc3834#section-5, and Exchange's own word for it.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if content.is_for_moderators:
        # Whoever reads the sender's mail can take them off the list: https://www.rfc-editor.org/rfc/rfc2369#section-3.2
        message["List-Unsubscribe"] = f"<mailto:{sender.addr_spec}?subject=unsubscribe>"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    _attach_logo(message, content)
    message["Content-Language"] = content.language  # last: before, it would move into the first part
    return message


def _recipient(to: str) -> Address:
    name, _at, domain = to.rpartition("@")
    try:
        if name.isascii() and not domain.isascii():
            # Every mail server takes the domain's other spelling; few take this one.
            domain = domain.encode("idna").decode()
        return Address(addr_spec=f"{name}@{domain}")
    except (ValueError, MessageError, IndexError) as error:
        raise AddressRefused(detail="not an email") from error


def _attach_logo(message: EmailMessage, content: Content) -> None:
    picture = logo()
    html = message.get_body(("html",))
    if picture is None or html is None or f"cid:{LOGO_ID}" not in content.html:
        return
    html.add_related(picture.content, "image", picture.subtype, cid=f"<{LOGO_ID}>", disposition="inline")


def _sender() -> Address:
    # Not parseaddr: it stumbles over a comma in a name that an owner wrote without quotes.
    name, _bracket, email = current().email.sender.rpartition("<")
    shown = name.strip().strip('"') or current().display_name
    try:
        return Address(display_name=shown, addr_spec=email.removesuffix(">").strip())
    except (ValueError, MessageError, IndexError) as error:
        raise MailMisconfigured(remedy=_("Set email.from to the email that mails shall come from.")) from error


@contextlib.contextmanager
def _session(step_seconds: float, longest_seconds: float) -> Iterator[smtplib.SMTP]:
    """Open a connection that is encrypted and signed in as configured; what breaks in it gets its meaning."""
    email = current().email
    if email.host is None:
        raise MailMisconfigured(remedy=_("Set email.host, or nothing can be mailed."))
    try:
        client = _connect(email, step_seconds)
        with contextlib.closing(client), _deadline(client, longest_seconds):
            _secure(client, email)
            _sign_in(client, email)
            yield client
            _say_goodbye(client)
    except (smtplib.SMTPException, OSError) as error:
        raise meaning_of(error, email) from error


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
