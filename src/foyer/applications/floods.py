"""How often a mailbox is mailed for people who have not shown yet that it is theirs.

Anybody can type anybody's email. So each mailbox has a bound for a day, and each client (an IPv4 address, or an IPv6
/64) a smaller one for the same mailbox: a stranger who types your email again and again uses up their own share, and
yours is left. What is counted outlives the application, or withdrawing it would begin the count anew.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from foyer.applications.errors import MailedOften
from foyer.applications.models import Mailed
from foyer.applications.statements import ADD_MAILED, MAILED_LATELY
from foyer.kit.clock import now
from foyer.kit.codes import keyed_digest

A_DAY = timedelta(days=1)
FROM_ONE_CLIENT = 6
FROM_UNKNOWN_CLIENTS = 10
"""A proxy that sends no X-Forwarded-For makes one client of all."""
FROM_ALL = 30
BATCH = 1000


def count(mailbox: str, subnet: str) -> None:
    """Count one mail to this mailbox, for somebody from this subnet (empty: not known).

    Call in the transaction that owes the mail.

    Raises:
        MailedOften: this client has had its share today, or all clients together.
    """
    box = keyed_digest(settings.SECRET_KEY, "mailed-box", mailbox)
    client = keyed_digest(settings.SECRET_KEY, "mailed-client", subnet) if subnet else ""
    clients = [it.client for it in MAILED_LATELY.rows(box, now() - A_DAY, FROM_ALL)]
    if len(clients) >= FROM_ALL or clients.count(client) >= (FROM_ONE_CLIENT if subnet else FROM_UNKNOWN_CLIENTS):
        raise MailedOften
    ADD_MAILED(Mailed(box=box, client=client))


def forget() -> int:
    """Delete what counts no more, a batch at a time; return how many."""
    over, forgotten = Mailed.objects.filter(at__lte=now() - A_DAY), 0
    while batch := list(over.order_by("at").values_list("id", flat=True)[:BATCH]):
        forgotten += Mailed.objects.filter(id__in=batch).delete()[0]
    return forgotten
