"""Walk the journeys of newcomers over HTTP, as a browser without JavaScript and as the predecessor's curl line do."""

from __future__ import annotations

import json
import secrets
import time

from dev import demo_apply
from dev.demo_visitor import Running, Wrong, expect, fetch, multipart, say, sign_in


def walk(demo: Running) -> int:
    """Go through all steps, say each, and return 0 if every one went as it should."""
    begin = time.monotonic()
    try:
        invitation, other = demo.invite(2)
        say(f"made two invitations: {invitation['link']} and {other['link']}")
        _join_by_page(demo, invitation["link"])
        _join_by_command(demo, other["code"])
        demo_apply.choose_the_password_first(demo)
        demo_apply.choose_the_password_last(demo)
    except Wrong as error:
        print(f"WRONG {error}", flush=True)
        return 1
    print(f"The journey works ({time.monotonic() - begin:.1f} s).", flush=True)
    return 0


def _join_by_page(demo: Running, link: str) -> None:
    page = fetch(link)
    expect(page.status == 200, f"{link} answered {page.status}.")
    form = page.form(field="username")
    say("opened the first: a page with a form for a name and a password")
    name, password = f"maria-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    typed = {"username": name, "password": password}
    if "confirm" in form.values:
        typed["confirm"] = password
    welcome = form.send(**typed)
    mxid = f"@{name}:{demo.homeserver.server_name}"
    expect(welcome.status == 200 and mxid in welcome.text, f"{form.action} answered {welcome.status} without {mxid}.")
    say(f"sent the form: the welcome page {welcome.url.partition('?')[0]} greets {mxid}")
    sign_in(demo, name, password)
    spent = fetch(link)
    expect(spent.status != 200, "The invitation was for one person, and its page still has a form.")
    say("opened it again: it is used up")


def _join_by_command(demo: Running, code: str) -> None:
    name, password = f"test-{secrets.token_hex(3)}", "verysecure"
    values = {"username": name, "password": password, "confirm": password, "token": code}
    body, content_type = multipart(values)
    answer = fetch(f"{demo.url}/register", body, content_type, accept="*/*")
    expect(answer.status == 200, f"/register answered {answer.status}: {answer.text[:300]}")
    said = json.loads(answer.text)
    expect(said.get("status") == "success", f"/register did not say success: {sorted(said)}")
    say(f"sent the second to POST /register as curl does: {said['user_id']}")
    sign_in(demo, name, password)
