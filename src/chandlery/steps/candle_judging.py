"""Judge published candles: those that do not equal their minutes become findings (check 19)."""

from datetime import date, timedelta

import polars as pl

from chandlery.quality.candles import RULE
from chandlery.steps.candle_checks import CandleChecks, check_candles
from chandlery.store.candle_checks import last_candle_session
from chandlery.store.recorded_findings import Recorded, Scope, record
from chandlery.store.warehouse import Warehouse

__all__ = ["CandleChecks", "judge_candles", "judge_last_candles"]


def judge_candles(warehouse: Warehouse, start: date, end: date) -> CandleChecks:
    """Compare the candles of the sessions `[start, end)` with their minutes and record what differs.

    Raises:
        InvalidInput: reversed range.
        NotMigrated: no candle was ever built.
    """

    def keep(scope: Scope, found: pl.DataFrame) -> Recorded:
        with warehouse.write() as connection:
            return record(connection, scope, found, rules=[RULE])

    return check_candles(warehouse, start=start, end=end, record=keep)


def judge_last_candles(warehouse: Warehouse, *, days: int) -> CandleChecks:
    """Judge the candles of the last `days` days that have any; none at all is nothing to judge."""
    last = last_candle_session(warehouse)
    if last is None:
        return CandleChecks()
    return judge_candles(warehouse, last - timedelta(days=days - 1), last + timedelta(days=1))
