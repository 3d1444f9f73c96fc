"""The only reader of the wall clock.

Everything else takes time as an argument, so that a rerun is equal and a backtest cannot look ahead.
Durations use `time.perf_counter`.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)
