"""When a bar's past is settled: the one rule on late trades and on complete days, for plans and for candles."""

from datetime import time, timedelta

import polars as pl

LATE = timedelta(minutes=15)
"""How long after its end a minute, and so a bucket, may still change by a late trade."""
_DAY_FILE = time(11)
"""Local time of the day after at which the vendor's daily file of a listed market is complete."""
_ALWAYS_OPEN = "24/7"


def day_final_at(zone: str) -> pl.Expr:
    """Return the instant from which a session's day is final.

    Args:
        zone: of the calendar; the expression reads the columns `calendar`, `session` and `close`.
    """
    morning = (pl.col("session") + pl.duration(days=1)).dt.combine(_DAY_FILE).dt.replace_time_zone(zone)
    return (
        pl.when(pl.col("calendar") == _ALWAYS_OPEN)
        .then(pl.col("close") + LATE)
        .otherwise(morning.dt.convert_time_zone("UTC"))
    )
