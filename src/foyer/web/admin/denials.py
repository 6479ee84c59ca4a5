"""How often people like an applicant were denied before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from foyer.applications.flags import digest_of
from foyer.applications.models import Application, DenialDigest

Kind = DenialDigest.Kind


def prior_denials(rows: Sequence[Application]) -> dict[int, int]:
    """Return for each application how many denials of such a name or mailbox came before its own; one question for all.

    One denial leaves a digest of the name and one of the mailbox, with one time: it counts once.
    """
    digests = {row.pk: _digests(row) for row in rows}
    times: dict[str, list[datetime]] = defaultdict(list)
    known = DenialDigest.objects.filter(digest__in={digest for of_row in digests.values() for digest in of_row})
    for digest, at in known.values_list("digest", "at"):
        times[digest].append(at)
    return {
        row.pk: len({at for digest in digests[row.pk] for at in times[digest] if _is_before(row, at)}) for row in rows
    }


def _digests(row: Application) -> list[str]:
    folded = ((Kind.NAME, row.skeleton), (Kind.EMAIL, row.mailbox))
    return [digest_of(kind, text) for kind, text in folded if text]


def _is_before(row: Application, at: datetime) -> bool:
    """Its own denial is noted when that takes effect."""
    return row.effects_started_at is None or at < row.effects_started_at
