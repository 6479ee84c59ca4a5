"""Every address about signing in as staff, on one screen. The names are allauth's: its flows find each other by them.

What is not here does not exist: no sign-up, no sign-in by mail, no password reset, nothing of other providers.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import path, reverse

from foyer.web.staff import account, second_factor, sign_in
from foyer.web.staff.admin import site
from foyer.web.staff.guard import admins_only, everybody, setting_up
from foyer.web.staff.places import redirect


@admins_only
def admin_doorstep(request: HttpRequest) -> HttpResponseBase:
    """Lead from /admin to /admin/, where Django's admin begins."""
    return redirect(reverse("admin:index"))


urlpatterns = [
    path("desk/sign-in", everybody(sign_in.SignIn.as_view()), name="account_login"),
    path("desk/sign-in/second-step", everybody(sign_in.SecondStep.as_view()), name="mfa_authenticate"),
    path("desk/sign-in/passkey", everybody(sign_in.PasskeySignIn.as_view()), name="mfa_login_webauthn"),
    path("desk/sign-in/closed", everybody(sign_in.Closed.as_view()), name="account_inactive"),
    path("desk/sign-out", everybody(sign_in.SignOut.as_view()), name="account_logout"),
    path("desk/account", setting_up(account.Account.as_view()), name="mfa_index"),
    path("desk/account/password", setting_up(account.ChangePassword.as_view()), name="account_change_password"),
    path("desk/account/confirm", setting_up(account.Confirm.as_view()), name="account_reauthenticate"),
    path("desk/account/confirm/code", setting_up(account.ConfirmByCode.as_view()), name="mfa_reauthenticate"),
    path(
        "desk/account/confirm/passkey",
        setting_up(account.ConfirmByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("desk/account/app", setting_up(second_factor.AddApp.as_view()), name="mfa_activate_totp"),
    path("desk/account/app/remove", setting_up(second_factor.RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path("desk/account/passkeys/add", setting_up(second_factor.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("desk/account/passkeys/<int:pk>", setting_up(second_factor.RenamePasskey.as_view()), name="mfa_edit_webauthn"),
    path(
        "desk/account/passkeys/<int:pk>/remove",
        setting_up(second_factor.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path(
        "desk/account/recovery-codes", setting_up(second_factor.RecoveryCodes.as_view()), name="mfa_view_recovery_codes"
    ),
    path(
        "desk/account/recovery-codes/new",
        setting_up(second_factor.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "desk/account/recovery-codes/download",
        setting_up(second_factor.DownloadRecoveryCodes.as_view()),
        name="mfa_download_recovery_codes",
    ),
    path("admin", admin_doorstep),
    path("admin/", site.urls),
]
