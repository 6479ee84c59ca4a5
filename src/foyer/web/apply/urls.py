"""The addresses of the application. The words come first: no key is as short as they are."""

from __future__ import annotations

from django.urls import path

from foyer.web.apply import about, confirm, email, freely, name, status, verify, withdraw

urlpatterns = [
    path("apply", name.page),
    path("apply/email", email.page),
    path("apply/confirm/<str:mail_key>", confirm.page),
    path("apply/<str:key>", status.page),
    path("apply/<str:key>/verify", verify.page),
    path("apply/<str:key>/again", verify.again),
    path("apply/<str:key>/email", email.correct),
    path("apply/<str:key>/name", name.again),
    path("apply/<str:key>/available", name.available),
    path("apply/<str:key>/about", about.page),
    path("apply/<str:key>/reply", status.reply),
    path("apply/<str:key>/freely", freely.page),
    path("apply/<str:key>/renew", status.renew),
    path("apply/<str:key>/withdraw", withdraw.page),
]
