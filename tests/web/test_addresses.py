from __future__ import annotations

import subprocess
import sys

import pytest
from django.urls import Resolver404, resolve, reverse

STAFF_PAGES = ("foyer.web.desk.urls", "foyer.web.staff.urls", "foyer.web.apply.urls")
LOOK = f"""
import contextlib, tests.support.settings, django, sys
django.setup()
from django.urls import Resolver404, resolve
for path in ("/", "/register", "/i/Code", "/healthz", "/nowhere", "/desktop", "/_matrix/nothing"):
    with contextlib.suppress(Resolver404):
        resolve(path)
print([name for name in {STAFF_PAGES!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("path", "module"),
    [("/desk/", "foyer.web.desk"), ("/desk/sign-in", "foyer.web.staff"), ("/apply", "foyer.web.apply")],
)
def test_address_below_a_map_of_its_own_is_found(path: str, module: str) -> None:
    found = resolve(path)

    assert getattr(found.func, "view_class", found.func).__module__.startswith(module)


def test_name_of_a_page_below_leads_to_its_address() -> None:
    assert (reverse("desk"), reverse("account_login")) == ("/desk/", "/desk/sign-in")


@pytest.mark.parametrize("path", ["/desktop", "/applys", "/administrator", "/x/desk/"])
def test_address_that_only_begins_alike_is_nobodys(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path)


def test_maps_below_are_not_read_before_somebody_asks() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "tests.support.settings", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
