from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foyer.invites.models import Invite
from foyer.invites.services import email_key
from foyer.kit.clock import now
from tests.conftest import Configure
from tests.web.conftest import CODE, MakeInvite


def words_of(page: str) -> str:
    """Return what a person reads of a page."""
    return re.sub(r"<[^>]*>", " ", page)


def test_join_page_of_a_live_invitation_invites(client: Client, make_invite: MakeInvite) -> None:
    make_invite(message="Come in, there is a chair for you.", inviter="Anna")

    answer = client.get(f"/i/{CODE}")

    assert answer.status_code == 200
    assert "You’re invited to join <em><bdi>example.test</bdi></em>" in answer.text
    assert '<blockquote dir="auto">Come in, there is a chair for you.</blockquote>' in answer.text
    assert "Anna invites you" in answer.text


def test_join_page_has_a_preview_for_messengers(client: Client, make_invite: MakeInvite) -> None:
    make_invite(message="Come in.")

    text = client.get(f"/register?token={CODE}").text

    assert '<meta property="og:title" content="You’re invited to join example.test">' in text
    assert '<meta property="og:description" content="Come in.">' in text
    assert "og:image" not in text


def test_join_page_with_a_long_message_has_a_short_preview(client: Client, make_invite: MakeInvite) -> None:
    make_invite(message="word " * 200)

    preview = client.get(f"/i/{CODE}").text.split('og:description" content="')[1].split('"')[0]

    assert len(preview) <= 200


def test_join_page_without_a_code_asks_for_the_link(client: Client, db: None) -> None:
    answer = client.get("/register")

    assert answer.status_code == 200
    assert "Your invitation link or code" in answer.text
    assert "token" not in words_of(answer.text)


def test_join_page_takes_a_pasted_link(client: Client, invite: Invite) -> None:
    answer = client.get("/register", {"token": f"https://join.example.org/i/{CODE}"})

    assert f'<input type="hidden" name="token" value="{CODE}">' in answer.text


def test_join_page_with_a_code_is_kept_by_nobody(client: Client, invite: Invite) -> None:
    answer = client.get(f"/i/{CODE}")

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.text


def test_join_page_costs_one_query(
    client: Client, make_invite: MakeInvite, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_invite(message="Come in.", rooms=["#a:example.test"])

    with django_assert_num_queries(1):
        client.get(f"/i/{CODE}")


@pytest.mark.parametrize(
    ("path", "root"),
    [("/register", ""), (f"/register?token={CODE}", ""), (f"/i/{CODE}", "../"), ("/i/Nothing", "../")],
)
def test_links_of_a_page_are_relative_to_where_it_stands(client: Client, invite: Invite, path: str, root: str) -> None:
    text = client.get(path).text

    assert f'href="{root}static/' in text
    assert f'href="{root}register/theme.css?v=' in text
    assert 'href="/' not in text
    assert 'action="/' not in text
    assert "http://localhost" not in text


def test_join_page_says_until_when_it_is_open(client: Client, make_invite: MakeInvite) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    make_invite(expires_at=soon)

    text = client.get(f"/i/{CODE}").text

    assert f'<time datetime="{soon:%Y-%m-%dT%H:%M:%SZ}" data-moment>' in text
    assert f"{soon.day} {soon:%B %Y, %H:%M} UTC</time>" in text


def test_join_page_shows_the_rules_and_asks_to_accept_some(
    client: Client, invite: Invite, configure: Configure
) -> None:
    configure(
        legal=[
            {"title": "House rules", "url": "https://example.org/rules", "must_accept": True},
            {"title": "Privacy", "url": "https://example.org/privacy"},
        ]
    )

    text = client.get(f"/i/{CODE}").text

    assert 'name="accept-1" value="yes" required' in text
    assert "accept-2" not in text
    assert text.count('href="https://example.org/privacy"') == 2  # before the form, and in the footer


def test_join_page_of_a_pinned_name_fixes_it(client: Client, make_invite: MakeInvite) -> None:
    make_invite(localpart="rosa")

    text = client.get(f"/i/{CODE}").text

    assert 'name="username" value="rosa"' in text
    assert " readonly " in text
    assert "chosen for you" in text


def test_join_page_of_a_mailed_link_carries_its_key_on(client: Client, make_invite: MakeInvite) -> None:
    invite = make_invite(email="rosa@example.org")
    key = email_key(invite)

    text = client.get(f"/i/{CODE}?key={key}").text

    assert f'<input type="hidden" name="key" value="{key}">' in text
    assert f"key={key}&amp;lang=de" in text


def test_join_page_escapes_what_people_wrote(client: Client, make_invite: MakeInvite) -> None:
    make_invite(message="<script>alert(1)</script>", inviter="<b>Eve</b>")

    text = client.get(f"/i/{CODE}").text

    assert "<script>alert" not in text
    assert "<b>Eve" not in text


def test_landing_with_one_way_in_is_its_first_step(client: Client, db: None) -> None:
    text = client.get("/").text

    assert "I have an invitation" in text
    assert 'action="register"' in text


def test_landing_with_no_way_in_says_so(client: Client, configure: Configure, db: None) -> None:
    configure(ways_in=["application"])

    text = client.get("/").text

    assert "New accounts cannot be made here at the moment" in text
    assert "I already have an account" in text


def test_landing_unchanged_is_not_sent_again(client: Client, db: None) -> None:
    first = client.get("/")

    again = client.get("/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert client.get("/?lang=de")["ETag"] != first["ETag"]


def test_landing_costs_no_query(client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        client.get("/")


def test_landing_takes_nothing_but_get(client: Client, db: None) -> None:
    answer = client.post("/", headers={"Accept": "text/html"})

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert "Not in this way" in answer.text


@pytest.mark.parametrize(
    ("facts", "status", "title"),
    [
        ({"expires_at": now() - timedelta(days=2)}, 410, "This invitation has ended"),
        ({"used": 1}, 410, "This invitation has been used up"),
        ({"revoked_at": now()}, 410, "This invitation was withdrawn"),
    ],
)
def test_dead_link_says_which(
    client: Client, make_invite: MakeInvite, facts: dict[str, object], status: int, title: str
) -> None:
    make_invite(**facts)

    answer = client.get(f"/i/{CODE}")

    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.text
    assert answer["Cache-Control"] == "no-store"


def test_link_that_is_used_up_tells_whoever_used_it_that_the_account_is_there(
    client: Client, make_invite: MakeInvite
) -> None:
    make_invite(used=1)

    assert "If it was you who used it, your account is there" in client.get(f"/i/{CODE}").text


def test_link_whose_use_is_held_shows_the_form_and_says_why_it_may_fail(
    client: Client, make_invite: MakeInvite
) -> None:
    make_invite(held=1)

    answer = client.get(f"/i/{CODE}")

    assert answer.status_code == 200
    assert "If that was you, send the same user name and password again." in answer.text
    assert 'name="username"' in answer.text


def test_dead_link_that_is_unknown_keeps_what_was_typed(client: Client, db: None) -> None:
    answer = client.get("/register?token=UnwindTrohpy")

    assert answer.status_code == 404
    assert "<h1>We do not know this invitation</h1>" in answer.text
    assert 'value="UnwindTrohpy"' in answer.text


def test_dead_link_that_ended_says_when_in_words(client: Client, make_invite: MakeInvite) -> None:
    make_invite(expires_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))

    text = client.get(f"/i/{CODE}").text

    assert '<time datetime="2026-01-02T03:04:00Z" data-moment>2 January 2026, 03:04 UTC</time>' in text


def test_dead_link_says_link_and_invitation_but_never_token(client: Client, db: None) -> None:
    text = client.get("/i/Nothing").text

    assert "link" in words_of(text)
    assert "token" not in words_of(text)


def test_join_pages_of_two_invitations_that_say_the_same_differ_in_code_and_moment(
    client: Client, make_invite: MakeInvite
) -> None:
    first = make_invite(expires_at=datetime(2100, 1, 2, 3, 4, tzinfo=UTC))
    second = make_invite(code="Other~Code.2-x_y", expires_at=datetime(2101, 5, 6, 7, 8, tzinfo=UTC))

    page = client.get(f"/i/{first.code}").text
    other = client.get(f"/i/{second.code}").text

    assert page.count(first.code) == other.count(second.code) == 1 + 1 + len(settings.LANGUAGES)
    assert first.code not in other
    assert "2 January 2100, 03:04 UTC" in page
    assert "6 May 2101, 07:08 UTC" in other
    assert client.get(f"/i/{first.code}").text == page


def test_join_page_speaks_each_language_and_follows_the_configuration(
    client: Client, invite: Invite, configure: Configure
) -> None:
    english = client.get(f"/i/{CODE}").text
    german = client.get(f"/i/{CODE}?lang=de").text
    configure(branding={"name": "The Garden"})
    renamed = client.get(f"/i/{CODE}").text

    assert '<html lang="en"' in english
    assert '<html lang="de"' in german
    assert "The Garden" in renamed
    assert "The Garden" not in english


def test_landing_follows_the_configuration(client: Client, configure: Configure, db: None) -> None:
    before = client.get("/")
    configure(branding={"name": "The Garden"})

    assert "The Garden" in client.get("/", headers={"If-None-Match": before["ETag"]}).text


def test_dead_link_that_is_very_long_is_not_carried_on(client: Client, db: None) -> None:
    answer = client.get("/i/" + "x" * 5000)

    assert answer.status_code == 404
    assert "x" * 64 in answer.text
    assert "x" * 201 not in answer.text
    assert f"token={'x' * 65}" not in answer.text
