"""The part of Django's settings that is about moderators and admins: how they sign in, and what keeps strangers out.

The public pages know none of it. Sessions, cookies and messages exist below /desk and /admin alone:
`foyer.web.staff.middleware` sees to that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import get_version

from foyer.config import current

_config = current()
_path = f"{_config.public_path}/"
_is_https = str(_config.public_url).startswith("https://")

APPS = (
    "foyer.staff.apps.StaffConfig",  # before Django's own, two of whose commands it replaces
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin.apps.SimpleAdminConfig",  # simple: nothing gets into the admin by itself
    "foyer.staff.apps.AllauthConfig",
    "foyer.staff.apps.SecondFactorConfig",
)
MIDDLEWARE = ("foyer.web.staff.middleware.ForStaff",)
# The admin's own pages; ours are Jinja's.
TEMPLATES: dict[str, Any] = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    # Not called templates: what is in folders of that name is Jinja's, and read as such by the tools.
    "DIRS": [Path(__file__).resolve().parent.parent / "web" / "admin" / "pages"],
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]
    },
}
# Where the admin's stylesheets and scripts are. They change with Django's version and with nothing else.
ADMIN_FILES = f"static/django-{get_version()}/"

SETTINGS: dict[str, Any] = {
    # The admin looks for three of Django's middlewares by name; ours holds them.
    "SILENCED_SYSTEM_CHECKS": ["admin.E408", "admin.E409", "admin.E410"],
    "AUTH_USER_MODEL": "staff.Staff",
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "AUTH_PASSWORD_VALIDATORS": [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        {
            "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
            "OPTIONS": {"user_attributes": ("username", "email")},
        },
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "desk",
    "STATIC_URL": ADMIN_FILES,
    # Pages link relatively, but the admin and allauth do not: they must know the path of `public_url`.
    "FORCE_SCRIPT_NAME": _config.public_path or None,
    # Sessions. `staff.session` counts from the sign-in: foyer.web.staff.guard ends what is older.
    "SESSION_ENGINE": "django.contrib.sessions.backends.db",
    "SESSION_COOKIE_NAME": "foyer_staff",
    "SESSION_COOKIE_PATH": _path,
    "SESSION_COOKIE_SECURE": _is_https,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",  # not Strict: links in mails to moderators lead into the desk
    "SESSION_COOKIE_AGE": int(_config.staff.session.total_seconds()),
    "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
    "CSRF_COOKIE_NAME": "foyer_staff_csrf",
    "CSRF_COOKIE_PATH": _path,
    "CSRF_COOKIE_SECURE": _is_https,
    "CSRF_COOKIE_HTTPONLY": True,
    "CSRF_COOKIE_SAMESITE": "Lax",
    # Behind a proxy that ends TLS, Foyer itself is asked by http.
    "CSRF_TRUSTED_ORIGINS": [_config.public_origin, *(f"https://{host}" for host in _config.hosts)],
    "CSRF_FAILURE_VIEW": "foyer.web.staff.pages.forgery",
    # Failed sign-ins and used codes are counted here, so all processes and machines must share it. The table is made by
    # a migration; where more entries come than these, the oldest counts would be lost, and with them the throttle.
    "CACHES": {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "staff_cache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    },
    "ACCOUNT_ADAPTER": "foyer.web.staff.adapters.AccountAdapter",
    "ACCOUNT_LOGIN_METHODS": {"username"},
    "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],  # nobody signs up; allauth's checks want the two to fit
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_SESSION_REMEMBER": True,
    "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
    "ACCOUNT_FORMS": {"change_password": "foyer.web.staff.forms.PasswordForm"},
    "ACCOUNT_RATE_LIMITS": {
        "login": "30/m/ip",
        "login_failed": "10/m/ip,5/5m/key",  # the key is the name that was typed, or whose second factor is asked
        "reauthenticate": "10/m/user",
        "change_password": "5/m/user",
    },
    "MFA_ADAPTER": "foyer.web.staff.adapters.SecondFactorAdapter",
    "MFA_SUPPORTED_TYPES": ["recovery_codes", "totp", "webauthn"],
    "MFA_FORMS": {
        "authenticate": "foyer.web.staff.forms.CodeForm",
        "reauthenticate": "foyer.web.staff.forms.CodeAgainForm",
        "login_webauthn": "foyer.web.staff.forms.PasskeySignInForm",
        "authenticate_webauthn": "foyer.web.staff.forms.PasskeyForm",
        "reauthenticate_webauthn": "foyer.web.staff.forms.PasskeyAgainForm",
        "add_webauthn": "foyer.web.staff.forms.NewPasskeyForm",
    },
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_TOTP_TOLERANCE": 1,  # clocks differ, and people type slowly
    "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # the email of staff is for notices; nothing hangs on it
    "MFA_RATE_LIMITS": {"webauthn_login": "10/m/ip", "webauthn_options": "30/m/ip"},
}
