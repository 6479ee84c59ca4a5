"""What every applicant's way runs, from the first mail to the moderators."""

from __future__ import annotations

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections

from foyer.applications.models import Application, DenialDigest, Haystack, Mailed
from foyer.config.prepared import Insert, Statement

# As in the partial indexes, so that they serve.
_PENDING = "state IN ('verified', 'waiting', 'asked', 'approved')"

ADD = Insert(Application)

BY_ID = Statement(Application, "SELECT {columns} FROM {table} WHERE id = %s")

LARGEST_ID = 2**63 - 1
"""A larger number is no application's, and SQLite's driver refuses to ask for it."""

BY_KEY = Statement(Application, "SELECT {columns} FROM {table} WHERE key_digest = %s")

LOCK = Statement(Application, "SELECT {columns} FROM {table} WHERE id = %s{for_update}")

PENDING_WITH = Statement(
    Application,
    f"SELECT {{columns}} FROM {{table}} WHERE LOWER(email) = %s AND id <> %s AND {_PENDING}",  # noqa: S608 - constants
)
"""The application under way that is proven to be of an email (in small letters), other than the one of an id."""

DENIED = Statement(
    DenialDigest, "SELECT {columns} FROM {table} WHERE kind = %s AND digest = %s ORDER BY at DESC LIMIT 1"
)
"""The latest denial of a name or a mailbox: kind, digest."""

MAILED_LATELY = Statement(Mailed, "SELECT {columns} FROM {table} WHERE box = %s AND at > %s LIMIT %s")

ADD_MAILED = Insert(Mailed)

INDEX = Statement(
    Haystack,
    "INSERT INTO {table} (application_id, text) VALUES (%s, %s) "
    "ON CONFLICT (application_id) DO UPDATE SET text = excluded.text",
)


class Count:
    """Asks how many applications there are of which something holds."""

    def __init__(self, sql: str) -> None:
        self._sql = sql.format(table=connections[DEFAULT_DB_ALIAS].ops.quote_name(Application._meta.db_table))

    def __call__(self, *parameters: int | str | datetime) -> int:
        """Return the number."""
        connection = connections[DEFAULT_DB_ALIAS]
        adapt = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [adapt(it) if isinstance(it, datetime) else it for it in parameters])
            return int(cursor.fetchone()[0])


COUNT_ALIKE = Count(f"SELECT COUNT(*) FROM {{table}} WHERE skeleton = %s AND id <> %s AND {_PENDING}")  # noqa: S608
"""How many others under way have a name with this skeleton: skeleton, id."""

COUNT_OF_SUBNET = Count("SELECT COUNT(*) FROM {table} WHERE subnet = %s AND created_at > %s")

COUNT_LATELY = Count(
    "SELECT COUNT(*) FROM (SELECT id FROM {table} WHERE state = 'waiting' AND submitted_at > %s LIMIT %s) lately"
)
"""How many that wait came after a moment; no more than a limit."""


class Keep:
    """Writes some columns of a row that this transaction has locked, while it is still in a state."""

    def __init__(self, *names: str) -> None:
        self._fields = [field for field in Application._meta.concrete_fields if field.attname in names]
        columns = ", ".join(f"{field.column} = %s" for field in self._fields)
        self._statement = Statement(Application, f"UPDATE {{table}} SET {columns} WHERE id = %s AND state = %s")  # noqa: S608 - the model's own names

    def __call__(self, row: Application, *, state: str = "") -> bool:
        """Write them; False where it is in another state. `state`: the one before, if it is one of the columns."""
        connection = connections[DEFAULT_DB_ALIAS]
        values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in self._fields]
        return bool(self._statement.run(*values, row.pk, str(state or row.state)))


_FLAGS = ("flags", "is_flagged")
KEEP_FORM = Keep("answers", "legal", "flags", "submitting_at")
SUBMIT = Keep("state", "submitted_at", "password_way", "account_id", "submitting_at", "answers", "legal", *_FLAGS)
VERIFY = Keep("state", "email_verified_at", "mail_refused_at", "code_tries", *_FLAGS)
KEEP_CODE = Keep(
    "code_generation", "code_tries", "code_expires_at", "has_code", "mailed_at", "mails", "mail_refused_at"
)
COUNT_TRY = Keep("code_tries")
KEEP_FLAGS = Keep(*_FLAGS)
END_TURN = Statement(Application, "UPDATE {table} SET submitting_at = NULL WHERE id = %s AND submitting_at = %s")
"""Let others submit it: id, and since when it was this one's turn."""

GOOD_FROM_NOW = Statement(Application, "UPDATE {table} SET code_expires_at = %s WHERE id = %s AND code_generation = %s")
"""Let a code be valid until a moment, unless it was followed by another one: moment, id, generation."""
