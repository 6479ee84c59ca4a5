"""Mails, over SMTP.

A mail is sent by a job, which may run twice: killed between the server's yes and the commit, it cannot know. Every try
of one delivery has the same Message-ID, by which mail programs and servers tell a copy.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
from collections.abc import Callable, Iterator
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from foyer.config import current
from foyer.kit.clock import now
from foyer.notify.errors import AddressRefused, MailMisconfigured
from foyer.notify.logo import LOGO_ID, logo
from foyer.notify.messages import Content
from foyer.notify.rendering import clean
from foyer.notify.smtp import session

STEP_SECONDS = 30.0
LONGEST_SECONDS = 120.0
# What every mail says alike. To parse them anew, again and again, was a third of the work of a mail.
ALIKE = frozenset(
    {"auto-submitted", "content-language", "content-transfer-encoding", "content-type", "list-unsubscribe"}
    | {"mime-version", "x-auto-response-suppress"}
)


class _Headers(HeaderRegistry):
    def __init__(self) -> None:
        super().__init__()
        self._parsed_once = functools.lru_cache(maxsize=64)(super().__call__)

    def __call__(self, name: str, value: str) -> BaseHeader:
        return self._parsed_once(name, value) if name.lower() in ALIKE else super().__call__(name, value)


# Nothing that is not ASCII travels as it is, and no line is longer than 78: https://www.rfc-editor.org/rfc/rfc2045#section-6
POLICY = SMTP.clone(cte_type="7bit", header_factory=_Headers())


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
    keep: bool = False,
) -> None:
    """Hand a mail over to the mail server. Call outside of any transaction; it may take `longest_seconds`.

    `message_id` (such as new_message_id() makes) is the same whenever this mail is sent again. `keep`: the connection
    stays open for this thread's next mail; follow the last one with smtp.hang_up().

    Raises:
        MailUnreachable, MailBusy, MailMisconfigured: time, or the owner, heals it.
        AddressRefused, MailRefused: nothing does.
    """
    message = compose(content, to=to, message_id=message_id)
    if _show is not None:
        _show(message)
        return
    with session(step_seconds, longest_seconds, keep=keep) as client:
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
    with session(step_seconds, LONGEST_SECONDS) as client:
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
