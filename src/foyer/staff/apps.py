"""Registers the jobs of this room when Django starts, and takes from Django's apps and allauth's what nobody needs."""

from __future__ import annotations

import importlib

from allauth.account.apps import AccountConfig
from allauth.mfa.apps import MFAConfig
from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    """The app `staff`."""

    name = "foyer.staff"

    def ready(self) -> None:
        """Import the handlers, so that every process knows which jobs there are."""
        importlib.import_module("foyer.staff.jobs")


class AllauthConfig(AccountConfig):  # type: ignore[misc]
    """allauth, without its wish to see every request: `foyer.web.staff.middleware` calls its middleware for staff."""

    def ready(self) -> None:
        """Register its checks of the settings. Django's apps are ready by now."""
        importlib.import_module("allauth.account.checks")
        # The role alone says who may do what: nobody would read Django's rows of permissions and of kinds of rows.
        post_migrate.disconnect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.disconnect(create_contenttypes)


class SecondFactorConfig(MFAConfig):  # type: ignore[misc]
    """allauth's second factors, imported when they are needed: every command of ours would wait for them otherwise."""

    def ready(self) -> None:
        """Nothing: its check is about signing up, and its signal about emails that are to be verified."""
