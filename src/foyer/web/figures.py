"""Figures for Prometheus. All but those of the process are counted in the database: any process may be asked."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

import foyer
from foyer.accounts import queries as accounts
from foyer.invites import queries as invites
from foyer.jobs import queries as jobs

__all__ = ["CONTENT_TYPE", "write"]


def write() -> bytes:
    """Return all figures in the text format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(House())
    return generate_latest(registry)


class House(Collector):
    """What the tables say."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        yield _gauge("foyer_info", "The version of Foyer.", {foyer.__version__: 1}, label="version")
        yield _gauge("foyer_accounts", "Accounts by state.", accounts.count_by_state(), label="state")
        totals = invites.totals()
        yield _gauge("foyer_invitations", "Invitations that there are.", {"": totals.all})
        yield _gauge("foyer_invitations_live", "Invitations that somebody can join by.", {"": totals.live})
        yield _gauge("foyer_invitation_uses", "Accounts made by the invitations that there are.", {"": totals.used})
        yield _gauge("foyer_invitation_uses_held", "Uses held by somebody who is joining.", {"": totals.held})
        owed = jobs.owed()
        yield _gauge("foyer_jobs_owed", "Jobs that are to be done, by lane.", owed.by_lane, label="lane")
        yield _gauge("foyer_jobs_given_up", "Jobs that somebody must look at.", {"": owed.given_up})
        yield _gauge(
            "foyer_jobs_oldest_seconds", "For how long the oldest job has been due.", {"": owed.oldest_seconds}
        )


def _gauge(name: str, text: str, values: dict[str, int] | dict[str, float], *, label: str = "") -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family
