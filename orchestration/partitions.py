"""Every partitions definition, and how a partition becomes a window of sessions."""

from datetime import date

import dagster as dg

from chandlery.market.calendar import FIRST_SESSION
from chandlery.steps.research import strategy_names

DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_SESSION.isoformat(), timezone="UTC")
"""One partition per calendar day; its key is the session date of every market (crypto: the UTC day)."""

STRATEGIES = dg.StaticPartitionsDefinition(sorted(strategy_names()))

RANGE = dg.BackfillPolicy.single_run()
"""A backfill over many days is one run over one window, not a run per day."""


def window_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """Return the sessions of this run as `[start, end)`."""
    window = context.partition_time_window
    return window.start.date(), window.end.date()
