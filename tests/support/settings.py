"""Where tests run: one configuration per process, complete without any file, its database in a folder of its own.

The suite runs on SQLite; with FOYER_TEST_DATABASE=postgresql it runs on a real PostgreSQL.
"""

from __future__ import annotations

import os
import tempfile

_FOLDER = tempfile.TemporaryDirectory(prefix="foyer-tests-", ignore_cleanup_errors=True)


def _database_url() -> str:
    if os.environ.get("FOYER_TEST_DATABASE") == "postgresql":
        from tests.support.database import server_url  # starts a server: only where it is wanted

        return server_url()
    return f"sqlite:///{_FOLDER.name}/foyer.sqlite3"


for _name in [name for name in os.environ if name.startswith("FOYER_") and not name.startswith("FOYER_TEST_")]:
    del os.environ[_name]
os.environ.update(
    FOYER_SERVER_NAME="example.test",
    FOYER_PUBLIC_URL="http://localhost:5000",
    FOYER_SECRET_KEY="a key for tests that is long enough for every purpose",
    FOYER_HOMESERVER__URL="http://127.0.0.1:9",
    FOYER_HOMESERVER__REGISTRATION_SHARED_SECRET="not asked",
    FOYER_DATABASE=_database_url(),
)

from foyer.config.django import *  # noqa: E402, F403 - after the environment is set
from foyer.config.django import DATABASES  # noqa: E402

LOGGING_CONFIG = "tests.support.logs.configure"
if os.environ.get("FOYER_TEST_DATABASE") != "postgresql":
    # A file, not memory: threads of one test share it, and the write gate is passed as in production.
    DATABASES["default"]["TEST"] = {"NAME": f"{_FOLDER.name}/test.sqlite3"}
