"""Mails over SMTP, to a real server that does what servers do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import time_machine

from foyer.notify import email
from foyer.notify.errors import (
    AddressRefused,
    MailBusy,
    MailError,
    MailMisconfigured,
    MailRefused,
    MailUnreachable,
)
from foyer.notify.messages import Answered, Content, Invitation
from tests.support.smtp import AUTHORITY, Sink

LINK = "https://join.example.test/i/UnwindTrophy?key=0123"
TO = "maria+matrix@example.net"
MESSAGE_ID = "<0123@example.test>"
Configured = Callable[..., None]


def mail(link: str = LINK) -> Content:
    """Return the words of a mail, under the configuration of now."""
    return Invitation(to=TO, link=link).content()


def send(to: str = TO, **seconds: Any) -> None:
    """Send it."""
    email.send(mail(), to=to, message_id=MESSAGE_ID, **seconds)


@pytest.fixture
def configured(configure: Callable[..., object], sink: Sink) -> Configured:
    """Point Foyer at the sink, with these keys of `email` changed."""

    def change(**keys: Any) -> None:
        block = {"host": "localhost", "port": sink.port, "username": "foyer@example.test", "security": "none"}
        configure(email={**block, **keys}, public_url="https://join.example.test")

    return change


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the tests' authority, as an owner tells OpenSSL to."""
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


@pytest.fixture
def dripping() -> Iterator[int]:
    """Return the port of a server that greets, and then says its next line a byte at a time, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 hello\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield int(listener.getsockname()[1])
    over.set()
    thread.join()
    listener.close()


def test_mail_sent_arrives_once_with_its_headers(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured()

    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        send()

    (message,) = (taken.message for taken in sink.taken)
    assert message["From"] == '"example.test" <foyer@example.test>'
    assert message["To"] == "maria+matrix@example.net"
    assert message["Subject"] == "You’re invited to join example.test"
    assert message["Date"] == "Sat, 21 Nov 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert message["Message-ID"] == MESSAGE_ID
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert sink.taken[0].sender == "foyer@example.test"
    assert sink.taken[0].recipients == ["maria+matrix@example.net"]


def test_mail_sent_says_the_same_link_in_text_and_html(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured()

    send()

    text, html = (part.get_content() for part in sink.taken[0].message.iter_parts())
    assert f"\n{LINK}\n" in text
    assert f'href="{LINK}"' in html


def test_mail_from_a_configured_sender_has_its_name(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured(**{"from": "Die Tür <join@example.org>"})

    send()

    assert sink.taken[0].message["From"] == "Die Tür <join@example.org>"
    assert sink.taken[0].sender == "join@example.org"


def test_message_id_is_the_one_that_was_given(configured: Configured) -> None:
    configured()

    first, other = email.new_message_id(), email.new_message_id()

    assert first != other
    assert first.endswith("@example.test>")
    assert email.compose(mail(), to=TO, message_id=first)["Message-ID"] == first


def test_mail_when_the_server_is_down_is_unreachable_and_says_where(configured: Configured, sink: Sink) -> None:
    configured()

    with pytest.raises(MailUnreachable) as caught:
        send()

    assert f"localhost does not answer on port {sink.port}" in caught.value.remedy


@pytest.mark.parametrize(
    ("step", "answer", "expected"),
    [
        ("MAIL", "451 4.3.0 later", MailBusy),
        ("MAIL", "550 5.7.1 not you", MailMisconfigured),
        ("RCPT", "450 4.2.0 greylisted", MailBusy),
        ("RCPT", "421 4.3.2 shutting down", MailBusy),
        ("RCPT", "550 5.1.1 <maria+matrix@example.net> unknown", AddressRefused),
        ("RCPT", "550 no such user", AddressRefused),
        ("RCPT", "554 5.7.1 <maria+matrix@example.net>: relay access denied", MailMisconfigured),
        ("RCPT", "530 authentication required", MailMisconfigured),
        ("DATA", "452 4.3.1 disk full", MailBusy),
        ("DATA", "554 5.6.0 looks like spam", MailRefused),
    ],
)
def test_mail_refused_has_the_type_that_says_what_to_do(
    sink: Sink, configured: Configured, step: str, answer: str, expected: type[MailError]
) -> None:
    sink.start()
    sink.answers[step] = answer
    configured()

    with pytest.raises(MailError) as caught:
        send()

    assert type(caught.value) is expected
    assert "maria" not in f"{caught.value.detail} {caught.value.remedy} {caught.value}"
    assert sink.taken == []


def test_mail_taken_by_a_server_that_spoils_its_goodbye_is_sent(sink: Sink, configured: Configured) -> None:
    sink.start()
    sink.answers["QUIT"] = "500 what?"
    configured()

    send()

    assert len(sink.taken) == 1


def test_mail_to_a_slow_server_is_sent(sink: Sink, configured: Configured) -> None:
    sink.start()
    sink.slow_seconds = 0.5
    configured()

    send(step_seconds=5)

    assert len(sink.taken) == 1


def test_mail_to_a_server_that_is_too_slow_is_given_up_in_time(sink: Sink, configured: Configured) -> None:
    sink.start()
    sink.slow_seconds = 4
    configured()

    begun = time.monotonic()
    with pytest.raises(MailUnreachable):
        send(step_seconds=0.3)

    assert time.monotonic() - begun < 4


def test_mail_to_a_server_that_drips_is_given_up_in_time(dripping: int, configured: Configured) -> None:
    configured(port=dripping)

    begun = time.monotonic()
    with pytest.raises(MailUnreachable):
        send(step_seconds=5, longest_seconds=0.5)

    assert time.monotonic() - begun < 60


def test_starttls_with_a_private_certificate_that_is_trusted_sends(
    sink: Sink, configured: Configured, trusted: None
) -> None:
    sink.start(starttls=True)
    configured(security="starttls")

    send()

    assert len(sink.taken) == 1


def test_starttls_with_a_private_certificate_names_the_remedy(sink: Sink, configured: Configured) -> None:
    sink.start(starttls=True)
    configured(security="starttls")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert "SSL_CERT_FILE" in caught.value.remedy
    assert sink.taken == []


def test_starttls_with_a_certificate_for_another_name_sends_nothing(
    sink: Sink, configured: Configured, trusted: None
) -> None:
    sink.start(starttls=True)
    configured(security="starttls", host="127.0.0.1")

    with pytest.raises(MailMisconfigured, match="not set up right"):
        send()

    assert sink.taken == []


def test_starttls_that_is_not_offered_sends_nothing_in_the_clear(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured(security="starttls", password="correct horse")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert f"STARTTLS on port {sink.port}" in caught.value.remedy
    assert sink.taken == []


def test_tls_from_the_start_sends(sink: Sink, configured: Configured, trusted: None) -> None:
    sink.start(tls=True)
    configured(security="tls")

    send()

    assert len(sink.taken) == 1


def test_tls_to_a_plain_port_names_the_remedy(sink: Sink, configured: Configured, trusted: None) -> None:
    sink.start()
    configured(security="tls")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert "starttls" in caught.value.remedy


def test_sign_in_with_the_right_password_sends(sink: Sink, configured: Configured) -> None:
    sink.start(sign_in=True)
    configured(password="correct horse")

    send()

    assert len(sink.taken) == 1


def test_sign_in_with_a_wrong_password_names_the_keys_and_no_secret(sink: Sink, configured: Configured) -> None:
    sink.start(sign_in=True)
    configured(password="hunter2hunter2")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert caught.value.remedy == "The mail server does not know email.username with email.password. Check both."
    assert "hunter2" not in repr(caught.value) + caught.value.detail


def test_sign_in_with_a_password_that_smtp_cannot_say_keeps_it_out_of_the_error(
    sink: Sink, configured: Configured
) -> None:
    sink.start(sign_in=True)
    configured(password="hünter2")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert caught.value.__cause__ is None
    assert "ASCII" in caught.value.remedy


def test_sign_in_that_the_server_does_not_offer_names_the_remedy(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured(password="correct horse")

    with pytest.raises(MailMisconfigured) as caught:
        send()

    assert "lets nobody sign in" in caught.value.remedy


def test_sign_in_missing_where_it_is_required_is_the_owners_to_mend(sink: Sink, configured: Configured) -> None:
    sink.start(sign_in=True)
    configured()

    with pytest.raises(MailMisconfigured):
        send()


@pytest.mark.parametrize("address", ["", "maria", "maria@", "a@b\nBcc: other@example.net", "a b@example.net", "<a@b>"])
def test_mail_to_what_is_no_email_is_refused_before_anybody_is_asked(configured: Configured, address: str) -> None:
    configured()

    with pytest.raises(AddressRefused):
        send(to=address)


def test_probe_signs_in_and_sends_nothing(sink: Sink, configured: Configured) -> None:
    sink.start(sign_in=True)
    configured(password="correct horse")

    email.probe()

    assert sink.taken == []


def test_probe_without_a_mail_server_names_the_key(configure: Callable[..., object]) -> None:
    configure()

    with pytest.raises(MailMisconfigured) as caught:
        email.probe()

    assert not email.is_configured()
    assert "email.host" in caught.value.remedy


def test_mail_to_moderators_says_how_to_get_no_more(configured: Configured) -> None:
    configured(**{"from": "Die Tür <join@example.org>"})
    content = Answered(to=TO, address="@ana:example.test", text="Yes.", link=LINK).content()

    message = email.compose(content, to=TO, message_id=MESSAGE_ID)

    assert message["List-Unsubscribe"] == "<mailto:join@example.org?subject=unsubscribe>"


@pytest.mark.parametrize("language", ["en", "de", "zh-hans"])
def test_mail_on_the_wire_is_ascii_in_short_lines(sink: Sink, configured: Configured, language: str) -> None:
    configured(**{"from": "Die große Tür zu unserem Städtchen, 我们的家 <join@example.org>"})
    text = "Grüße! " * 300 + "\n" + "x" * 2000
    content = Answered(to=TO, language=language, address="@ana:example.test", text=text, link=LINK).content()

    wire = bytes(email.compose(content, to=TO, message_id=MESSAGE_ID))

    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")
    # The older of Python's decoders: the newer one of 3.11 puts a space between two encoded words.
    sender = str(make_header(decode_header(message_from_bytes(wire)["From"])))
    assert sender == "Die große Tür zu unserem Städtchen, 我们的家 <join@example.org>"
    plain = message_from_bytes(wire, policy=default).get_body(("plain",))
    assert plain is not None
    assert "> " + "x" * 2000 in plain.get_content()


def test_mail_to_a_domain_in_its_own_letters_goes_to_its_other_spelling(sink: Sink, configured: Configured) -> None:
    sink.start()
    configured()

    send(to="maria@müller.example")

    assert sink.taken[0].recipients == ["maria@xn--mller-kva.example"]


def test_mail_carries_the_logo_inside(configured: Configured, configure: Callable[..., object], tmp_path: Path) -> None:
    picture = tmp_path / "logo.png"
    picture.write_bytes(b"a picture")
    block = {"host": "localhost", "from": "foyer@example.test"}
    configure(email=block, branding={"logo": str(picture)})

    message = email.compose(mail(), to=TO, message_id=MESSAGE_ID)

    plain, related = message.iter_parts()
    html, logo = related.iter_parts()
    assert [part.get_content_type() for part in (plain, related, html, logo)] == [
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert 'src="cid:logo@foyer"' in html.get_content()
    assert logo["Content-ID"] == "<logo@foyer>"
    assert logo.get_content() == b"a picture"


@pytest.mark.parametrize(("name", "size"), [("logo.svg", 10), ("logo.png", 200_000), ("gone.png", 0)])
def test_mail_leaves_out_a_logo_that_mails_cannot_carry(
    configure: Callable[..., object], tmp_path: Path, name: str, size: int
) -> None:
    picture = tmp_path / name
    picture.write_bytes(b"x" * size)
    configure(email={"host": "localhost", "from": "foyer@example.test"}, branding={"logo": str(picture)})
    if not size:
        picture.unlink()

    message = email.compose(mail(), to=TO, message_id=MESSAGE_ID)

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert "cid:" not in str(message)


def test_send_in_a_rehearsal_shows_the_mail_and_connects_to_nobody(configured: Configured, sink: Sink) -> None:
    shown: list[str] = []
    configured()

    with email.shown_to(lambda message: shown.append(f"{message['To']}: {message['Subject']}")):
        send()

    assert len(shown) == 1
    assert sink.taken == []
