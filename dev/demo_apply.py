"""The journey of an applicant over HTTP: a name, an email, the mail from the catcher, the form, a yes, and in.

Twice: with the password chosen when applying, and with the password chosen once approved.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import time
from email.message import EmailMessage

from dev.demo_visitor import Page, Running, Wrong, expect, fetch, say, sign_in

MODERATOR = "moderators@example.org"
_SECONDS_FOR_A_MAIL = 30.0
_SECONDS_TO_OPEN = 90.0
_REASON = "I grow tomatoes, and a friend told me about this server."
_WELCOME = "Welcome! Say hello in the lobby."


def have_somebody_wait(demo: Running) -> None:
    """Leave a request for the desk, and say nothing of it; returns when the moderators have their mail."""
    name = "paula"
    with contextlib.redirect_stdout(None):
        _submit(_verify_by_code(demo, _begin(demo, name), name), name, secrets.token_urlsafe(12))
    _mail_to(demo, MODERATOR, "moderators", having=name)


def choose_the_password_first(demo: Running) -> None:
    """`when_applying`: the password is the form's last field, and the account is held until somebody says yes."""
    demo.choose_passwords("when_applying")
    name, password = f"paula-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    about = _verify_by_code(demo, _begin(demo, name), name)
    status = _submit(about, name, password)
    _expect_locked_out(demo, name, password)
    _approve(demo, name)
    mail = _mail_to(demo, _email(name), "application", having=_WELCOME)
    say(f"read in the mail {str(mail['Subject'])!r}: {_WELCOME!r}")
    _wait_until_open(status)
    sign_in(demo, name, password)


def choose_the_password_last(demo: Running) -> None:
    """`when_approved`: no account is made before somebody says yes; then a link for it is mailed."""
    demo.choose_passwords("when_approved")
    say("started Foyer anew with application.password: when_approved")
    name, password = f"tom-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    about = _verify_by_button(demo, _begin(demo, name), name)
    _submit(about, name)
    _approve(demo, name)
    mail = _mail_to(demo, _email(name), "application", having="/i/")
    link = _link(mail, f"{demo.url}/i/")
    say(f"read the link in the mail {str(mail['Subject'])!r}: {link}")
    form = fetch(link).form(field="password")
    typed = {"username": name, "password": password} | ({"confirm": password} if "confirm" in form.values else {})
    welcome = form.send(**typed)
    mxid = f"@{name}:{demo.homeserver.server_name}"
    expect(welcome.status == 200 and mxid in welcome.text, f"{form.action} answered {welcome.status} without {mxid}.")
    say(f"chose a password behind it: the welcome page greets {mxid}")
    sign_in(demo, name, password)


def _email(name: str) -> str:
    return f"{name}+foyer@example.org"


def _begin(demo: Running, name: str) -> Page:
    email_page = fetch(f"{demo.url}/apply").form(field="username").send(username=name)
    expect(email_page.status == 200, f"The name led to {email_page.status} at {email_page.url}.")
    verify_page = email_page.form(field="email").send(email=_email(name))
    expect(verify_page.status == 200, f"The email led to {verify_page.status} at {verify_page.url}.")
    say(f"asked for the name {name} and gave an email: {_place(verify_page)}")
    return verify_page


def _verify_by_code(demo: Running, page: Page, name: str) -> Page:
    mail = _mail_to(demo, _email(name), "confirm", having="/apply/confirm/")
    digits = re.search(r"^\s*(\d{6})\s*$", _text(mail), re.MULTILINE)
    if digits is None:
        raise Wrong("The mail has no six digits.")
    about = page.form(field="code").send(code=digits.group(1))
    expect("q-reason" in about.form(field="q-reason").values, f"The code led to {about.status} at {about.url}.")
    say(f"typed the code from the mail {str(mail['Subject'])!r}")
    return about


def _verify_by_button(demo: Running, page: Page, name: str) -> Page:
    mail = _mail_to(demo, _email(name), "confirm", having="/apply/confirm/")
    link = _link(mail, f"{demo.url}/apply/confirm/")
    for method in ("HEAD", "GET"):
        fetch(link, method=method)
    again = fetch(page.url)
    expect("code" in again.form(field="code").values, "Opening the mailed link has confirmed the email.")
    say("opened the link in the mail, as scanners do: that confirms nothing")
    about = fetch(link).form(action=link.rpartition("/")[2]).send()
    about.form(field="q-reason")
    say("pressed the button behind it")
    return about


def _submit(about: Page, name: str, password: str = "") -> Page:
    form = about.form(field="q-reason")
    asks = "password" in form.values
    expect(asks == bool(password), f"{_place(about)} {'asks' if asks else 'does not ask'} for a password.")
    typed = {"q-reason": _REASON}
    if password:
        typed |= {"password": password} | ({"confirm": password} if "confirm" in form.values else {})
    status = form.send(**typed)
    expect(
        status.status == 200 and name in status.text and status.url.count("/apply/") == 1,
        f"The answers led to {status.status} at {status.url}.",
    )
    expect(not re.search(r"/(about|name|email|verify)(\?|$)", status.url), f"The answers led back to {status.url}.")
    say(f"sent the answers{' and a password' if password else ''}: {_place(status)} says that people read it")
    return status


def _expect_locked_out(demo: Running, name: str, password: str) -> None:
    status, _answer = demo.homeserver.login(name, password)
    expect(status != 200, f"Synapse let {name} in before anybody had said yes.")
    say("tried to sign in at Synapse before anybody had said yes: it refuses")


def _approve(demo: Running, name: str) -> None:
    mail = _mail_to(demo, MODERATOR, "moderators", having=name)
    say(f"read what the moderators were told: {str(mail['Subject'])!r}")
    waiting = json.loads(demo.command("application", "list", "--json"))
    found = [row["id"] for row in waiting if row["name"] == name]
    if len(found) != 1:
        raise Wrong(f"`foyer application list` has {name} {len(found)} times.")
    said = demo.command("application", "approve", str(found[0]), "--message", _WELCOME)
    say(f"ran `foyer application approve {found[0]}`: {said.strip()}")


def _wait_until_open(status: Page) -> None:
    end = time.monotonic() + _SECONDS_TO_OPEN
    while _WELCOME not in (page := fetch(status.url)).text:
        expect(time.monotonic() < end, f"{_place(status)} does not say that the account is open.")
        time.sleep(0.2)
    say(f"opened {_place(page)} again: the account is open")


def _mail_to(demo: Running, email: str, what: str, *, having: str) -> EmailMessage:
    """The first mail to this email whose text has this in it."""
    end = time.monotonic() + _SECONDS_FOR_A_MAIL
    while True:
        for mail in list(demo.mails.messages):
            if email in str(mail["X-Envelope-To"]) and having in _text(mail):
                return mail
        if time.monotonic() > end:
            raise Wrong(f"No mail ({what}) came to {email} in {_SECONDS_FOR_A_MAIL:.0f} s.")
        time.sleep(0.1)


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def _link(mail: EmailMessage, beginning: str) -> str:
    found = re.search(rf"{re.escape(beginning)}\S+", _text(mail))
    if found is None:
        raise Wrong(f"The mail has no link that begins with {beginning}.")
    return found.group(0)


def _place(page: Page) -> str:
    """The path of a page, without the secret in it."""
    path = page.url.partition("?")[0].partition("/apply")[2]
    return "/apply" + re.sub(r"/[0-9a-f]{32}", "/…", path)
