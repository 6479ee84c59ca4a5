"""The demo's check reads pages as a browser without JavaScript does."""

from __future__ import annotations

import pytest

from dev.demo_visitor import Page, Wrong, multipart

PAGE = """
<form method="get" action="/search"><input name="q"></form>
<form class="join" method="post" action="../register?lang=de">
  <input type="hidden" name="token" value="Door&amp;Key"><input name="username"><input name="password">
</form>
<form method="post" action="/elsewhere?x=1"><textarea name="other">Words</textarea></form>
"""


def test_form_of_a_page_is_the_one_with_the_field() -> None:
    form = Page(200, "http://localhost:5000/join/i/DoorKey", PAGE).form(field="username")

    assert form.action == "http://localhost:5000/join/register?lang=de"
    assert form.values == {"token": "Door&Key", "username": "", "password": ""}


def test_form_of_a_page_is_found_by_where_it_goes() -> None:
    form = Page(200, "http://localhost:5000/join/i/DoorKey", PAGE).form(action="/elsewhere")

    assert (form.action, form.values) == ("http://localhost:5000/elsewhere?x=1", {"other": ""})


def test_form_of_a_page_without_one_is_wrong() -> None:
    with pytest.raises(Wrong, match="has no form with username"):
        Page(404, "http://localhost:5000/i/Nothing", "<p>This link is dead.</p>").form(field="username")


def test_multipart_is_what_curl_sends() -> None:
    body, content_type = multipart({"token": "DoubleWizardSki"})

    boundary = content_type.partition("boundary=")[2].encode()
    head = b'Content-Disposition: form-data; name="token"'
    assert body == b"--%b\r\n%b\r\n\r\nDoubleWizardSki\r\n--%b--\r\n" % (boundary, head, boundary)
