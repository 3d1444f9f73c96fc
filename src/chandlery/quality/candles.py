"""Stored candles beside a roll-up of their minutes (check 19): equal, or wrong beyond doubt."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import CHECKS
from chandlery.quality.findings import Severity
from chandlery.quality.verdicts import Verdict

RULE = "candle_equals_its_finer_ones"
CHECK = 19
EXACT = ("open", "high", "low", "close", "trade_count", "bar_count")
SUMS = ("volume",)
COMPARED = (*EXACT, *SUMS)
SUM_TOLERANCE = 1e-12
"""Relative; sums of fractions depend on their order, and a day adds its half hours. Whole shares add up exactly."""

CANDLE_FINDING_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "instrument_id": pl.Int64,
    "timeframe": pl.String,
    **{name: dtype for name, dtype in FINDING_SCHEMA.items() if name != "row"},
}
_KEY = ["instrument_id", "ts"]


def compare_candles(stored: pl.DataFrame, rolled: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    """Return a finding for each candle that is stored and differs, is missing, or stands for no minute.

    Args:
        stored: instrument_id, session, ts and `COMPARED`; unique by instrument and ts.
        rolled: likewise, from minutes of the same sessions.
        timeframe: of both.

    Returns:
        `CANDLE_FINDING_SCHEMA`, ascending by instrument and ts; critical and confirmed: it is arithmetic.
    """
    columns = [*_KEY, "session", *COMPARED]
    both = stored.select(columns, is_stored=True).join(
        rolled.select(columns, is_rolled=True), on=_KEY, how="full", suffix="_rolled", coalesce=True
    )
    there = pl.col("is_stored") & pl.col("is_rolled")
    wrong = both.filter(~there.fill_null(value=False) | pl.any_horizontal(_differs(name) for name in COMPARED))
    rows = [_finding(row, timeframe) for row in wrong.sort(_KEY).iter_rows(named=True)]
    return pl.DataFrame(rows, schema=CANDLE_FINDING_SCHEMA)


def _differs(name: str) -> pl.Expr:
    one, other = pl.col(name), pl.col(f"{name}_rolled")
    if name in EXACT:
        return one.ne_missing(other)
    whole = (one == one.round()) & (other == other.round())
    near = (one - other).abs() <= SUM_TOLERANCE * pl.max_horizontal(one.abs(), other.abs())
    return ~pl.when(whole).then(one == other).otherwise(near).fill_null(value=False)


def _finding(row: Mapping[str, Any], timeframe: Timeframe) -> dict[str, object]:
    session = row["session"] or row["session_rolled"]
    minutes = timeframe.minutes
    return {
        "instrument_id": row["instrument_id"],
        "timeframe": timeframe.value,
        "ts": row["ts"],
        "ts_end": row["ts"] + timedelta(minutes=minutes) if minutes else None,
        "session": session,
        "last_session": session,
        "rule": RULE,
        "check": CHECK,
        "severity": Severity.CRITICAL.value,
        "verdict": Verdict.CONFIRMED.value,
        "term": CHECKS[CHECK].term.value,
        "evidence": json.dumps(_evidence(row), sort_keys=True),
    }


def _evidence(row: Mapping[str, object]) -> dict[str, object]:
    if not row["is_stored"]:
        return {"missing": "candle", "minutes": row["bar_count_rolled"], "close": row["close_rolled"]}
    if not row["is_rolled"]:
        return {"missing": "minutes", "close": row["close"]}
    facts: dict[str, object] = {}
    for name in COMPARED:
        if row[name] != row[f"{name}_rolled"]:
            facts |= {name: row[name], f"{name}_of_minutes": row[f"{name}_rolled"]}
    return facts
