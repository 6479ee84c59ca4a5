from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.audit.models import Event
from foyer.invites import queries, services
from foyer.invites.errors import (
    CodeMalformed,
    CodeTaken,
    InviteBusy,
    InviteExpired,
    InviteMissing,
    InviteRefused,
    InviteRevoked,
    InviteSpent,
    InviteUnknown,
)
from foyer.invites.models import Invite, Use
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from foyer.kit.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OWNER = Actor.command_line()


def make(**facts: object) -> Invite:
    return services.create(NewInvite(**facts), actor=OWNER)  # type: ignore[arg-type]


def counts(invite: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=invite.id)
    return fresh.held, fresh.used


def reserve(invite: Invite, holder: str) -> None:
    with transaction.atomic():
        services.reserve(invite.code, holder=holder, ip="203.0.113.9")


def test_reserve_holds_one_use_and_complete_spends_it() -> None:
    invite = make()

    reserve(invite, "account:1")
    assert counts(invite) == (1, 0)

    services.complete(holder="account:1")
    services.complete(holder="account:1")
    assert counts(invite) == (0, 1)
    assert [use.holder for use in queries.uses_of(invite)] == ["account:1"]


def test_reserve_by_the_id_of_an_invitation_that_was_made_anew_holds_nothing() -> None:
    before = make(code="Again")
    services.delete(before, actor=OWNER)
    anew = make(code="Again")

    with pytest.raises(InviteUnknown), transaction.atomic():
        services.reserve("Again", holder="account:1", invite_id=before.id)

    assert counts(anew) == (0, 0)
    assert not Use.objects.exists()


def test_release_gives_the_use_back_once() -> None:
    invite = make(uses_limit=3)
    reserve(invite, "account:1")
    reserve(invite, "account:2")

    services.release(holder="account:1")
    services.release(holder="account:1")

    assert counts(invite) == (1, 0)


def test_release_after_complete_changes_nothing() -> None:
    invite = make()
    reserve(invite, "account:1")
    services.complete(holder="account:1")

    services.release(holder="account:1")

    assert counts(invite) == (0, 1)


def test_reserve_of_the_last_use_while_it_is_held_says_so_and_when_spent_says_that() -> None:
    invite = make()
    reserve(invite, "account:1")

    with pytest.raises(InviteBusy):
        reserve(invite, "account:2")

    services.complete(holder="account:1")
    with pytest.raises(InviteSpent):
        reserve(invite, "account:2")


def test_reserve_of_an_unlimited_invitation_never_ends() -> None:
    invite = make(uses_limit=None)

    for number in range(50):
        reserve(invite, f"account:{number}")

    assert counts(invite) == (50, 0)


def test_find_live_of_each_dead_invitation_says_which() -> None:
    revoked = make()
    services.revoke(revoked, actor=OWNER)
    expired = make(expires_at=now() - timedelta(seconds=1))
    none = make(uses_limit=0)

    found: list[type[InviteRefused]] = []
    for code in ("", "  ", "Nonexistent", "not a code", "x" * 65, revoked.code, expired.code, none.code):
        with pytest.raises(InviteRefused) as caught:
            queries.find_live(code)
        found.append(type(caught.value))
        assert str(caught.value)

    assert found == [
        InviteMissing,
        InviteMissing,
        InviteUnknown,
        InviteUnknown,
        InviteUnknown,
        InviteRevoked,
        InviteExpired,
        InviteSpent,
    ]


def test_the_sentences_of_dead_invitations_differ() -> None:
    refusals = [InviteUnknown(), InviteRevoked(), InviteExpired(when=now()), InviteSpent(), InviteBusy()]

    assert len({str(refusal) for refusal in refusals}) == len(refusals)
    assert len({refusal.code for refusal in refusals}) == len(refusals)


def test_create_with_a_code_of_ones_own_takes_it_and_a_second_time_refuses() -> None:
    assert make(code="summer-2027").code == "summer-2027"

    with pytest.raises(CodeTaken, match="summer-2027"):
        make(code="summer-2027")
    with pytest.raises(CodeMalformed):
        make(code="no spaces")
    assert Invite.objects.count() == 1


def test_create_many_makes_all_with_different_codes() -> None:
    made = services.create_many(20, NewInvite(label="workshop"), actor=OWNER)

    assert len({invite.code for invite in made}) == 20
    assert Event.objects.filter(verb="invite.created").count() == 20


def test_edit_while_a_use_is_spent_loses_no_use() -> None:
    invite = make(uses_limit=5)
    stale = Invite.objects.get(id=invite.id)
    reserve(invite, "account:1")
    services.complete(holder="account:1")

    fresh = services.edit(stale, actor=OWNER, label="party")

    assert (fresh.label, fresh.used, fresh.held) == ("party", 1, 0)


def test_edit_of_something_else_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="held"):
        services.edit(make(), actor=OWNER, held=7)


def test_delete_while_a_use_is_held_keeps_who_came() -> None:
    invite = make()
    reserve(invite, "account:1")

    services.delete(invite, actor=OWNER)
    services.complete(holder="account:1")

    assert services.code_of("account:1") == invite.code
    assert not Invite.objects.exists()


def test_revoke_and_restore_are_done_once() -> None:
    invite = make()

    assert services.revoke(invite, actor=OWNER)
    assert not services.revoke(invite, actor=OWNER)
    assert services.restore(invite, actor=OWNER)
    assert not services.restore(invite, actor=OWNER)
    queries.find_live(invite.code)


def test_email_key_fits_its_invitation_and_no_other() -> None:
    invite, other = make(email="maria+party@example.net"), make(email="maria+party@example.net")

    assert services.email_is_proven(invite, services.email_key(invite))
    assert not services.email_is_proven(invite, services.email_key(other))
    assert not services.email_is_proven(invite, None)
    assert not services.email_is_proven(invite, "ü")
    assert not services.email_is_proven(make(), "")


def test_forget_ips_erases_only_old_ones() -> None:
    invite = make(uses_limit=2)
    reserve(invite, "account:1")
    reserve(invite, "account:2")
    Use.objects.filter(holder="account:1").update(at=now() - timedelta(days=31))

    assert services.forget_ips(now() - timedelta(days=30)) == 1
    assert [use.ip for use in queries.uses_of(invite)] == [None, "203.0.113.9"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    limit=st.one_of(st.none(), st.integers(0, 4)),
    deeds=st.lists(st.tuples(st.sampled_from(["reserve", "complete", "release"]), st.integers(1, 6)), max_size=25),
)
def test_any_order_of_deeds_keeps_the_counts_true(limit: int | None, deeds: list[tuple[str, int]]) -> None:
    invite = make(uses_limit=limit)
    for deed, number in deeds:
        holder = f"{invite.code}:{number}"[:64]
        if deed == "reserve" and not Use.objects.filter(holder=holder).exists():
            try:
                reserve(invite, holder)
            except InviteRefused:
                assert limit is not None
        elif deed == "complete":
            services.complete(holder=holder)
        elif deed == "release":
            services.release(holder=holder)
        held, used = counts(invite)
        uses = Use.objects.filter(invite=invite)
        assert (held, used) == (uses.filter(spent_at=None).count(), uses.exclude(spent_at=None).count())
        assert limit is None or held + used <= limit


def test_reserve_with_many_invitations_reads_one_row_by_index() -> None:
    Invite.objects.bulk_create(Invite(code=f"c{number}", created_by="test") for number in range(500))
    query = Invite.objects.filter(code="c77")

    plan = query.explain()

    assert "SCAN invites_invite" not in plan or connection.vendor == "postgresql"


def test_reserve_of_a_code_with_blanks_around_it_is_that_of_the_code() -> None:
    invite = make()

    with transaction.atomic():
        assert services.reserve(f" {invite.code}\n", holder="account:1").id == invite.id

    assert counts(invite) == (1, 0)
    assert services.code_of("account:1") == invite.code
    assert services.code_of("account:2") is None


def test_uses_are_counted_alike_where_the_database_returns_no_changed_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", connection.vendor == "postgresql")
    invite = make()

    reserve(invite, "account:1")
    with pytest.raises(InviteBusy):
        reserve(invite, "account:2")
    services.complete(holder="account:1")
    services.complete(holder="account:1")

    assert counts(invite) == (0, 1)
