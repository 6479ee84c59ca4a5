"""How the tests are spread over the workers of pytest-xdist: what is started once for a file is started in one worker.

Every other test goes to whichever worker is free, and those that take long begin first.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

LONG = (
    "tests/cli/test_backup.py",
    "tests/dev/test_demo.py",
    "tests/journeys/",
)
"""Where single tests take ten seconds and more: one of them that begins last keeps all others waiting."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Group the tests before pytest-xdist looks at the groups; put the long ones first after pytest-django's order."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            group = _group(item)
            if group:
                item.add_marker(pytest.mark.xdist_group(group))
    yield
    # Those that use Django's own database stay in the order that pytest-django wants.
    items.sort(key=lambda item: not item.nodeid.startswith(LONG) or item.get_closest_marker("django_db") is not None)


def _group(item: pytest.Function) -> str:
    """Name the file, and what its fixtures are made for, where the test uses one that is made once for a file."""
    known = item._fixtureinfo.name2fixturedefs
    shared = sorted(name for name, found in known.items() if found[-1].scope == "module")
    if not shared:
        return ""
    case = getattr(item, "callspec", None)
    made_for = [str(case.indices[name]) for name in shared if name in case.indices] if case is not None else []
    return "-".join([item.nodeid.partition("::")[0], *made_for])
