"""What can go wrong at the homeserver; the type carries the decision.

HomeserverError
├── NameTaken           definitely not made; another name
├── NameRefused         definitely not made; another name
├── PasswordRefused     definitely not made, unless .leaves_shell; another password (.reasons)
├── EmailTaken          the email stays where it is
├── EmailRefused        no email as the server understands it
├── ServerFull          definitely not made; the server takes nobody at the moment
├── AccountMissing      an account that we counted on is not there (any more)
├── RoomRefused         this room lets nobody in through us (.remedy); other rooms may
├── Busy                nothing was done; again after .retry_after seconds
├── Unreachable         no usable answer; with .maybe_done never do it again blindly, ask first
├── Misconfigured       nothing was done; the owner must act (.remedy)
├── NotPossible         nothing was done; these credentials do not allow it (.remedy)
└── SignInRefused       wrong password or no such account; stays inside this room
    └── SignInLocked    right password of a locked account; stays inside this room

`sentence` is for the newcomer, `remedy` for the owner, `detail` for the log. None of them holds a secret or a password.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal

PASSWORD_REASONS: dict[str, str | Promise] = {
    "password-too-short": _("Use at least %(min_length)s characters."),
    "password-no-digit": _("Use at least one digit."),
    "password-no-symbol": _("Use at least one sign that is neither a letter nor a digit."),
    "password-no-lowercase": _("Use at least one small letter from a to z."),
    "password-no-uppercase": _("Use at least one capital letter from A to Z."),
    "password-too-weak": _("Use a password that is harder to guess: add a word or two that nobody would expect."),
    "password-unusable": _("Use no more than 512 characters, and only such as can be typed."),
}


def filled(text: str | Promise, **params: object) -> str | Promise:
    """Put parameters into a lazily translated text that stays lazy."""
    return cast("str | Promise", _fill(text, params))


def _fill_now(text: str | Promise, params: dict[str, object]) -> str:
    return str(text) % params


_fill = lazy(_fill_now, str)


class HomeserverError(Refusal):
    """The homeserver did not do what it was asked.

    errcode, error and http_status are the homeserver's own words, where it said any; a legacy answer passes them on.
    detail is one line of English for the log.
    """

    code = "homeserver-error"
    status = 503
    sentence = _("The homeserver could not do this. Try again in a few minutes.")

    def __init__(
        self, *, detail: str = "", errcode: str = "", error: str = "", http_status: int | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self.detail = detail
        self.errcode = errcode
        self.error = error
        self.http_status = http_status


class NameTaken(HomeserverError):
    """Somebody has this name. Nothing was changed."""

    code = "name-taken"
    field = "username"
    status = 400
    sentence = _("This user name is taken. Choose another one.")


class NameRefused(HomeserverError):
    """The homeserver makes no account of this name."""

    code = "name-refused"
    field = "username"
    status = 400
    sentence = _("This homeserver does not allow this user name. Choose another one.")


class PasswordRefused(HomeserverError):
    """The homeserver's rules for passwords are not met; reasons are keys of PASSWORD_REASONS.

    leaves_shell: an account of ours is there that nobody can use. With another password reopen() or rehold() fills it.
    """

    code = "password-refused"
    field = "password"
    status = 400
    sentence = _("The homeserver does not accept this password. Choose another one.")

    def __init__(
        self, *, reasons: Iterable[str] = (), min_length: int = 0, leaves_shell: bool = False, **more: Any
    ) -> None:
        super().__init__(min_length=min_length, **more)
        self.reasons = tuple(reasons)
        self.leaves_shell = leaves_shell

    def __str__(self) -> str:
        """Return one sentence for each rule that is not met."""
        known = [str(PASSWORD_REASONS[reason]) % self.params for reason in self.reasons if reason in PASSWORD_REASONS]
        return " ".join(known) or super().__str__()


class EmailTaken(HomeserverError):
    """Another account has this email. It keeps it."""

    code = "email-taken"
    field = "email"
    status = 400
    sentence = _("Another account on this homeserver has this email.")


class EmailRefused(HomeserverError):
    """The homeserver does not take this for an email."""

    code = "email-refused"
    field = "email"
    status = 400
    sentence = _("The homeserver does not accept this email.")


class ServerFull(HomeserverError):
    """The homeserver is closed to new people, or has as many as its owner allows."""

    code = "homeserver-full"
    sentence = _("This homeserver takes no new people at the moment. Ask the person who runs it.")


class AccountMissing(HomeserverError):
    """There is no account of this name."""

    code = "account-missing"
    status = 404
    sentence = _("There is no account of this name on the homeserver.")


class _ForTheOwner(HomeserverError):
    """Carries what the owner can do about it."""

    def __init__(self, *, remedy: str | Promise = "", **more: Any) -> None:
        super().__init__(**more)
        self._remedy = remedy

    @property
    def remedy(self) -> str:
        """What the owner can do, in the active language. For `doctor`, the desk and the log, never for the newcomer."""
        return str(self._remedy)


class RoomRefused(_ForTheOwner):
    """The room does not exist, or we may not let anybody into it."""

    code = "room-refused"
    sentence = _("This room cannot be joined for you. Ask the person who invited you.")


class Misconfigured(_ForTheOwner):
    """Something is set up wrongly, here or there. Nothing was done, and a retry changes nothing."""

    code = "homeserver-misconfigured"
    sentence = _("This server's front door is not set up right. Please tell the person who runs it.")


class NotPossible(_ForTheOwner):
    """The credentials that we have do not allow this."""

    code = "homeserver-not-possible"
    sentence = _("This homeserver is not set up for this. Please tell the person who runs it.")


class Busy(HomeserverError):
    """The homeserver wants to be left alone for retry_after seconds. Nothing was done."""

    code = "homeserver-busy"
    sentence = _("The homeserver is very busy. Wait a minute, then try again.")

    def __init__(self, *, retry_after: float, **more: Any) -> None:
        super().__init__(**more)
        self.retry_after = retry_after


class Unreachable(HomeserverError):
    """There was no answer, or none that can be understood.

    maybe_done: the homeserver may have done it. Ask (look_up, exists, password_is_right) before doing it again.
    """

    code = "homeserver-unreachable"
    sentence = _("The homeserver did not answer. Wait a minute, then try again with the same name and password.")

    def __init__(self, *, maybe_done: bool, **more: Any) -> None:
        super().__init__(**more)
        self.maybe_done = maybe_done

    @classmethod
    def half_done(cls, error: HomeserverError) -> Unreachable:
        """Return what to raise for an error that came when the account was made already, but not finished."""
        return cls(
            maybe_done=True,
            detail=f"made, but not finished: {error.code} {error.detail}",
            errcode=error.errcode,
            error=error.error,
            http_status=error.http_status,
        )


class SignInRefused(HomeserverError):
    """No account has this name and this password."""

    code = "sign-in-refused"


class SignInLocked(SignInRefused):
    """The password is right, and the account is locked."""

    code = "sign-in-locked"
