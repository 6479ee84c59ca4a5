from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from foyer.web.assets import STATIC_ROOT, asset, digest
from tests.conftest import Configure

pytestmark = pytest.mark.django_db

PIXEL = b"\x89PNG\r\n\x1a\n"


def test_theme_carries_the_owners_colour_and_is_kept_for_ever(client: Client, configure: Configure) -> None:
    configure(branding={"accent": "#7b1fa2"})
    address = client.get("/").text.split('href="register/theme.css')[1].split('"')[0]

    answer = client.get(f"/register/theme.css{address}")

    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "--accent:#7b1fa2" in answer.text
    assert "immutable" in answer["Cache-Control"]
    assert client.get("/register/theme.css")["Cache-Control"] == "public, max-age=300"


def test_theme_unchanged_is_not_sent_again(client: Client) -> None:
    tag = client.get("/register/theme.css")["ETag"]

    assert client.get("/register/theme.css", headers={"If-None-Match": tag}).status_code == 304


def test_icon_has_the_owners_colour(client: Client, configure: Configure) -> None:
    configure(branding={"accent": "#7b1fa2"})

    answer = client.get("/register/icon.svg")

    assert answer["Content-Type"] == "image/svg+xml"
    assert b"#7b1fa2" in answer.content


def test_logo_is_served_from_our_own_origin_and_may_do_nothing(
    client: Client, configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / "logo.png").write_bytes(PIXEL)
    configure(branding={"logo": str(tmp_path / "logo.png")})

    answer = client.get("/register/logo")

    assert (answer.content, answer["Content-Type"]) == (PIXEL, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert '<img src="register/logo?v=' in client.get("/").text


@pytest.mark.parametrize("name", ["logo.txt", "logo.html"])
def test_logo_that_is_no_picture_is_left_out(client: Client, configure: Configure, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PIXEL)
    configure(branding={"logo": str(tmp_path / name)})

    assert client.get("/register/logo").status_code == 404
    assert "<img" not in client.get("/").text


def test_logo_without_one_is_not_found(client: Client) -> None:
    assert client.get("/register/logo").status_code == 404


def test_name_and_sentence_of_the_owner_are_shown(client: Client, configure: Configure) -> None:
    configure(branding={"name": "Kräuter & Co", "tagline": "For gardeners."})

    text = client.get("/").text

    assert "Kräuter &amp; Co" in text
    assert "For gardeners." in text


def test_asset_stands_in_a_directory_named_by_all_content() -> None:
    assert asset("foyer.css") == f"static/{digest()}/foyer.css"
    assert len(digest()) == 12


def test_asset_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        asset("missing.js")


def test_stylesheet_asks_nothing_from_elsewhere() -> None:
    for path in [path for path in STATIC_ROOT.rglob("*") if path.is_file()]:
        text = path.read_text()
        assert "http://" not in text
        assert "https://" not in text
        assert "@import" not in text
