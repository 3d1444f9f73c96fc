"""Instants of commits: in which order versions became visible, so that a read "as of" can be repeated bit for bit.

`now()` is the start of a transaction: one that starts first may commit last, and a read in between would see less
than the same read later. A writer of versions therefore takes its instant last, under a lock it holds until it has
committed; a reader waits for whoever holds that lock, then opens its snapshot. Whatever has an instant before the
reader's moment is then visible, and whatever commits later has a later instant.
"""

from datetime import datetime

from sqlalchemy import text

from chandlery.errors import InvalidInput
from chandlery.store.warehouse import Warehouse, Writer

_LOCK_KEY = 7_304_526_120


def commit_instant(connection: Writer) -> datetime:
    """Return the instant of this transaction; call it as late as possible, others wait until it ends."""
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    instant: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return instant


def settle(warehouse: Warehouse, as_of: datetime) -> None:
    """Wait until every version with an instant up to `as_of` is visible.

    Raises:
        InvalidInput: `as_of` has no zone, or lies in the future, where nothing is settled.
    """
    if as_of.tzinfo is None:
        raise InvalidInput(f"As-of was {as_of.isoformat()} without a zone; add one, such as +00:00.")
    if as_of > settled_instant(warehouse):
        raise InvalidInput(f"As-of was {as_of.isoformat()}, which is later than now; ask for a past instant.")


def settled_instant(warehouse: Warehouse) -> datetime:
    """Return the present instant of the database's clock, once all versions with an earlier one are visible."""
    with warehouse.write() as connection:
        connection.execute(text("select pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK_KEY})
        now: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return now
