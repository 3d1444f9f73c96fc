"""Every partitions definition, and how a partition becomes a window of sessions, or a study."""

from datetime import date

import dagster as dg

from chandlery.market.calendar import FIRST_SESSION
from chandlery.steps.research import strategy_names

DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_SESSION.isoformat(), timezone="UTC")
"""One partition per calendar day; its key is the session date of every market (crypto: the UTC day)."""

STRATEGIES = dg.StaticPartitionsDefinition(sorted(strategy_names()))

UNIVERSE = dg.DynamicPartitionsDefinition(name="universe")
"""What studies run on: a symbol for daily bars (`AAPL`), else with its timeframe (`AAPL@1h`). Added when asked for."""

STUDIES = dg.MultiPartitionsDefinition({"strategy": STRATEGIES, "universe": UNIVERSE})
"""One partition per strategy and universe; a run works on one of them."""

RANGE = dg.BackfillPolicy.single_run()
"""A backfill over many days is one run over one window, not a run per day."""

ONE_BY_ONE = dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
"""A backfill over many studies is a run per study: the pool sets how many at once."""


def window_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """Return the sessions of this run as `[start, end)`."""
    window = context.partition_time_window
    return window.start.date(), window.end.date()


def study_partition(strategy: str, universe: str) -> dg.MultiPartitionKey:
    """Return the key of a study."""
    return dg.MultiPartitionKey({"strategy": strategy, "universe": universe})


def study_of(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """Return strategy and universe of this run."""
    key = STUDIES.get_partition_key_from_str(context.partition_key)
    return key.keys_by_dimension["strategy"], key.keys_by_dimension["universe"]
