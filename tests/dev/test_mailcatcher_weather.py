"""What the mail catcher does when it is told to misbehave."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage

import pytest

from dev.mailcatcher import MailCatcher


def send(port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Hello"
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.send_message(message)


def test_mail_catcher_that_went_down_refuses_connections_and_comes_up_at_the_same_port() -> None:
    with MailCatcher.start() as mails:
        mails.go_down()
        with pytest.raises(ConnectionRefusedError):
            send(mails.port)
        mails.come_up()
        send(mails.port)

        assert len(mails.messages) == 1


def test_mail_catcher_told_to_say_later_keeps_nothing() -> None:
    with MailCatcher.start() as mails:
        mails.before = lambda step: "451 4.3.0 later" if step == "DATA" else None
        with pytest.raises(smtplib.SMTPDataError):
            send(mails.port)

        assert mails.messages == []


def test_mail_catcher_told_to_hang_up_after_the_mail_has_it_all_the_same() -> None:
    with MailCatcher.start() as mails:
        mails.before = lambda step: "" if step == "TAKEN" else None
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(mails.port)

        assert len(mails.messages) == 1


def test_mail_catcher_does_not_take_a_mail_whose_sender_died_in_the_middle() -> None:
    with MailCatcher.start() as mails, socket.create_connection(("127.0.0.1", mails.port), timeout=60) as connection:
        connection.sendall(b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nSubject: half\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

        assert mails.messages == []
