"""Deadlines: by when the bars of a session have to be known, and what it costs when they are not."""

from datetime import timedelta

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.thresholds import Threshold

FRESHNESS_MINUTES = Threshold(
    "freshness_minutes",
    default=0.0,
    low=0.0,
    high=1440.0,
    doc="Minutes after a session's close by which its minutes are known; 0, the default: by the next opening, because "
    "a daily schedule brings them. A stream with a delay of 15 minutes fits 20.",
)


def deadlines(sessions: pl.DataFrame, timeframe: Timeframe, *, freshness_minutes: float = 0.0) -> pl.DataFrame:
    """Return `session`, `close` and `deadline` of each session, ascending.

    Day bars, and minutes unless `freshness_minutes` is above 0, are due at the next opening; where the next session
    opens as this one closes, at the end of that one. Null for the last session, whose next one is not known.

    Args:
        sessions: one calendar, in `SESSION_SCHEMA`.
        timeframe: 1m or 1d.
        freshness_minutes: minutes are due so long after the close; 0: see above.
    """
    next_open, next_close = pl.col("open").shift(-1), pl.col("close").shift(-1)
    if timeframe is Timeframe.M1 and freshness_minutes > 0:
        due = pl.col("close") + timedelta(minutes=freshness_minutes)
    else:
        due = pl.when(next_open > pl.col("close")).then(next_open).otherwise(next_close)
    return sessions.sort("session").select("session", "close", deadline=due)


def timeliness(known_from: pl.Expr, close: pl.Expr, deadline: pl.Expr) -> pl.Expr:
    """Return 1 for bars known by the deadline, falling to 0 when they took three times as long after the close.

    Null where `known_from` or `deadline` is.
    """
    allowed = (deadline - close).dt.total_microseconds()
    taken = (known_from - close).dt.total_microseconds()
    return ((3 * allowed - taken) / (2 * allowed)).clip(0.0, 1.0)
