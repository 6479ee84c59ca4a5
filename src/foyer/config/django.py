"""Django's settings, all of them derived from foyer.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from foyer.config import current, staff_settings
from foyer.config.secret import kept_key

PACKAGE = Path(__file__).resolve().parent.parent

# A server that vanished without a word is noticed after some seconds, and not after the two hours that are usual.
POSTGRESQL_OPTIONS = {
    "application_name": "foyer",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

_config = current()
_database = _config.database


def _databases() -> dict[str, dict[str, Any]]:
    if _database.engine == "sqlite":
        return {
            "default": {
                "ENGINE": "foyer.config.sqlite",
                "NAME": str(_database.path),
                "CONN_MAX_AGE": None,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                },
            }
        }
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database.name,
            "USER": _database.user,
            "PASSWORD": _database.password,
            "HOST": _database.host,
            "PORT": _database.port or "",
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {**POSTGRESQL_OPTIONS, **_database.options},
        }
    }


SECRET_KEY = (
    _config.secret_key.get_secret_value() if _config.secret_key is not None else kept_key(Path(str(_database.path)))
)
DEBUG = False
ALLOWED_HOSTS = list(_config.allowed_hosts)
USE_X_FORWARDED_HOST = False

INSTALLED_APPS = [
    "foyer.audit",
    "foyer.jobs",
    "foyer.names",
    *staff_settings.APPS,
    "foyer.notify",
    "foyer.screening",
    "foyer.invites",
    "foyer.accounts",
    "foyer.applications",
]
MIDDLEWARE = ["foyer.legacy.cors.CrossOrigin", "foyer.web.middleware.Edge", *staff_settings.MIDDLEWARE]
ROOT_URLCONF = "foyer.urls"
WSGI_APPLICATION = "foyer.wsgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / "web" / "templates"],
        "OPTIONS": {"environment": "foyer.web.jinja.environment"},
    },
    staff_settings.TEMPLATES,
]

DATABASES = _databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("pt-br", "Português (Brasil)"),
    ("sv", "Svenska"),
    ("zh-hans", "简体中文"),
]
LOCALE_PATHS = [PACKAGE / "locale"]

LOGGING_CONFIG = "foyer.config.logging.configure"
LOGGING = {"level": _config.log.level, "format": _config.log.format}

globals().update(staff_settings.SETTINGS)
