"""The pictures of the README and the documentation, taken of a running Foyer: `python -m dev.screenshots [NAME …]`.

Foyer runs in this process, with a homeserver in memory and a server that does not exist. The pictures change only
when the pages do (or the machine's fonts: Inter and a Palatino are asked for).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import django
import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from dev import desk_pictures, packages
from dev.browser import find_or_install_chromium
from dev.desk_pictures import Furnished
from dev.environments import ROOT, SetupError
from dev.messages import compile_catalogues

IMAGES = ROOT / "docs" / "images"
CODE = "UnwindTrophyGardenLamp"
CONFIGURATION = {
    "server_name": "example.org",
    "public_url": "https://join.example.org",
    "homeserver": {"registration_shared_secret": "of a server that does not exist"},
    "legal": [
        {"title": "House rules", "url": "https://example.org/rules", "must_accept": True},
        {"title": "Privacy", "url": "https://example.org/privacy"},
    ],
    "branding": {"tagline": "A small, friendly home for makers and gardeners."},
    "after": {
        "rooms": ["#welcome:example.org", "#garden:example.org"],
        "welcome_message": "Say hello in #welcome, and have a look around.",
    },
    "screening": {"limits": False},
}
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <alias binding="same"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="same"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Picture:
    """One picture: which page, how large, in which light, and what was typed."""

    name: str
    path: str
    width: int = 1280
    height: int = 820
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-GB"
    user_agent: str | None = None
    whole_page: bool = False
    prepare: Callable[[Page], None] | None = None
    scale: float = 1.5
    as_staff: bool = False


def _typed(page: Page) -> None:
    page.get_by_label("User name").fill("rosa")
    page.locator("[data-state=free]").wait_for()
    page.get_by_label("Password", exact=True).fill("quarzlampe nebel tragen ufer")
    page.locator("[data-score='4']").wait_for()


def _taken(page: Page) -> None:
    page.get_by_label("User name").fill("maria")
    page.locator("[data-pick]").first.wait_for()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")


def _pictures(welcome: str) -> list[Picture]:
    phone = {"width": 390, "height": 844}
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
    return [
        Picture("join", f"/i/{CODE}", prepare=_typed),
        Picture("join-dark", f"/i/{CODE}", scheme="dark", prepare=_typed),
        Picture("join-phone", f"/i/{CODE}", whole_page=True, **phone),  # type: ignore[arg-type]
        Picture("join-phone-taken", f"/i/{CODE}", scheme="dark", whole_page=True, prepare=_taken, **phone),  # type: ignore[arg-type]
        Picture("join-de", f"/i/{CODE}", locale="de-DE"),
        Picture("welcome", f"/{welcome}", height=960),
        Picture("welcome-phone", f"/{welcome}", user_agent=iphone, whole_page=True, **phone),  # type: ignore[arg-type]
        Picture("ended", "/i/EndedLongAgo", height=720),
    ]


def _desk_pictures(house: Furnished) -> list[Picture]:
    """Small ones: the manual shows several of them on a page."""
    small = {"width": 1100, "height": 600, "scale": 1.0}
    phone = {"width": 390, "height": 844, "scale": 1.0}
    staff = {**small, "as_staff": True}
    wide = {**staff, "width": 1280, "height": 700}
    return [
        Picture("apply-verify-phone", f"/apply/{house.to_verify}/verify", **phone),  # type: ignore[arg-type]
        Picture("apply-about", f"/apply/{house.to_answer}/about", prepare=_answered, **small),  # type: ignore[arg-type]
        Picture("apply-status-phone", f"/apply/{house.waiting}", scheme="dark", **phone),  # type: ignore[arg-type]
        Picture("desk-overview", "/desk/", **staff),  # type: ignore[arg-type]
        Picture("desk-queue", "/desk/queue", **staff),  # type: ignore[arg-type]
        Picture("desk-queue-phone", "/desk/queue", scheme="dark", as_staff=True, **phone),  # type: ignore[arg-type]
        Picture("desk-request", f"/desk/requests/{house.flagged}", **wide),  # type: ignore[arg-type]
        Picture("desk-decide", f"/desk/requests/{house.plain}/approve", prepare=_worded, **wide),  # type: ignore[arg-type]
        Picture("desk-invitation", f"/desk/invitations/{house.invitation}", **staff),  # type: ignore[arg-type]
        Picture("desk-rules", "/desk/rules", **staff),  # type: ignore[arg-type]
        Picture("desk-account", "/desk/account", **staff),  # type: ignore[arg-type]
    ]


def _answered(page: Page) -> None:
    page.locator("textarea").first.fill(
        "I am Emil, I keep bees at the edge of town, and Lena told me that you share a garden."
    )


def _worded(page: Page) -> None:
    page.locator("textarea").first.fill("Welcome! The next garden day is on Saturday, at ten.")
    page.wait_for_timeout(800)


@contextlib.contextmanager
def _foyer(folder: Path) -> Iterator[tuple[str, str, Furnished]]:
    """Run Foyer; give its URL, the path of a welcome page, and what the desk has."""
    keys = {**CONFIGURATION, **desk_pictures.CONFIGURATION, "database": f"sqlite:///{folder}/foyer.sqlite3"}
    (folder / "foyer.yaml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("FOYER_")]:
        del os.environ[name]
    os.environ.update(FOYER_CONFIG=str(folder / "foyer.yaml"), DJANGO_SETTINGS_MODULE="foyer.config.django")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    # These read Django's settings when they are imported.
    from dev.site import Site
    from foyer.homeserver import make
    from foyer.homeserver.memory import MemoryHomeserver

    with make.using(MemoryHomeserver(server_name="example.org")) as homeserver:
        homeserver.create("maria", "taken before the pictures are")
        welcome, house = _furnish(), desk_pictures.furnish()
        with Site() as site:
            yield site.url, welcome, house


def _furnish() -> str:
    """Make invitations and an account; return the path of that account's welcome page."""
    from foyer.accounts.models import Account, State
    from foyer.invites.services import NewInvite, create
    from foyer.kit.actor import Actor
    from foyer.web.public.welcome import path_of

    soon = datetime(2031, 5, 2, 16, 0, tzinfo=UTC)
    message = "Hi! This is where we plan the garden days and share seedlings. Come in, there is a chair for you."
    for invite in (
        NewInvite(code=CODE, uses_limit=None, expires_at=soon, message=message, inviter="Anna"),
        NewInvite(code="EndedLongAgo", expires_at=datetime(2026, 5, 2, 16, 0, tzinfo=UTC)),
    ):
        create(invite, actor=Actor.command_line())
    Account.objects.create(localpart="rosa", state=State.OPEN, rooms=["#welcome:example.org", "#garden:example.org"])
    return path_of("rosa")


def _take(browser: Browser, url: str, picture: Picture, cookie: dict[str, str]) -> Path:
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=picture.scale,
        color_scheme=picture.scheme,
        locale=picture.locale,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        user_agent=picture.user_agent,
    )
    if picture.as_staff:
        context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": url}])
    page = context.new_page()
    page.goto(url + picture.path)
    if picture.prepare:
        picture.prepare(page)
    path = IMAGES / f"{picture.name}.png"
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path, full_page=picture.whole_page, animations="disabled")
    context.close()
    _shrink(path)
    return path


def _shrink(path: Path) -> None:
    """Keep as many colours as an eye can tell apart here: a third of the size."""
    pngquant = packages.find_or_install("pngquant")
    options = ["--force", "--speed", "1", "--strip", "--quality", "80-100", "--output"]
    subprocess.run([pngquant, *options, path, path], check=True)


def main() -> int:
    """Take every picture anew."""
    compile_catalogues()
    for package in ("fonts-inter", "fonts-urw-base35"):
        with contextlib.suppress(SetupError):
            packages.install(package)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="foyer-pictures-") as name, contextlib.ExitStack() as stack:
        fonts = Path(name) / "fonts.conf"
        fonts.write_text(FONTS, encoding="utf-8")
        url, welcome, house = stack.enter_context(_foyer(Path(name)))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=find_or_install_chromium(),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        wanted = set(sys.argv[1:])
        for picture in [*_pictures(welcome), *_desk_pictures(house)]:
            if wanted and picture.name not in wanted:
                continue
            path = _take(browser, url, picture, house.cookie)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")
        browser.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as error:
        sys.exit(str(error))
