"""The demo's check reads pages as a browser without JavaScript does."""

from __future__ import annotations

import pytest

from dev.demo_check import Page, Wrong, _JoinForm, _multipart

PAGE = """
<form method="get" action="/search"><input name="q"></form>
<form class="join" method="post" action="../register?lang=de">
  <input type="hidden" name="token" value="Door&amp;Key"><input name="username"><input name="password">
</form>
<form method="post" action="/elsewhere"><input name="other"></form>
"""


def test_join_form_in_page_is_the_one_that_asks_for_a_name() -> None:
    form = _JoinForm.in_page(Page(200, "http://localhost:5000/join/i/DoorKey", PAGE))

    assert form.action == "http://localhost:5000/join/register?lang=de"
    assert form.values == {"token": "Door&Key", "username": "", "password": ""}


def test_join_form_in_page_without_one_is_wrong() -> None:
    with pytest.raises(Wrong, match="has no form that asks for a user name"):
        _JoinForm.in_page(Page(404, "http://localhost:5000/i/Nothing", "<p>This link is dead.</p>"))


def test_multipart_is_what_curl_sends() -> None:
    body, content_type = _multipart({"token": "DoubleWizardSki"})

    boundary = content_type.partition("boundary=")[2].encode()
    head = b'Content-Disposition: form-data; name="token"'
    assert body == b"--%b\r\n%b\r\n\r\nDoubleWizardSki\r\n--%b--\r\n" % (boundary, head, boundary)
