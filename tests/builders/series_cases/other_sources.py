"""Bars at odds with another source."""

from dataclasses import replace
from datetime import date

import polars as pl
from quality_cases import BrokenSeries
from series_cases.days import ts_session, with_minutes, witness_of
from series_views import clean_view, ts_of

from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict


def off(frame: pl.DataFrame, session: date, **factors: float) -> pl.DataFrame:
    """Return a witness with figures of one session times a factor."""
    place = pl.col("session") == session
    return frame.with_columns(
        pl.when(place).then(pl.col(name) * factor).otherwise(pl.col(name)).alias(name)
        for name, factor in factors.items()
    )


def _cases() -> tuple[BrokenSeries, ...]:
    view = clean_view(Timeframe.D1, judged=10)
    ts, session = ts_of(view, 4), ts_session(view, 4)
    one, two = witness_of(view), witness_of(view, seed=2)
    # 1 % is beyond 50 bps, and 100 % beyond 35.
    alone = replace(view, witnesses={"one": off(one, session, close=1.01)})
    loud = replace(view, witnesses={"one": off(one, session, volume=2.0)})
    against_us = replace(view, witnesses={"one": off(one, session, close=1.01), "two": off(two, session, close=1.01)})
    with_us = replace(view, witnesses={"one": off(one, session, close=1.01), "two": two})
    own_minutes = with_minutes(alone)
    minutes = clean_view(Timeframe.M1, lookback=25, judged=5)
    opening, day = ts_of(minutes, 2), ts_session(minutes, 2)
    by_minutes = replace(minutes, witnesses={"one": off(witness_of(minutes), day, close=1.01)})
    return (
        BrokenSeries(alone, (ts,), Verdict.SUSPECTED),
        BrokenSeries(loud, (ts,), Verdict.SUSPECTED),
        BrokenSeries(against_us, (ts,), Verdict.CONFIRMED),
        BrokenSeries(with_us, (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(own_minutes, (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(by_minutes, (opening,), Verdict.SUSPECTED),
    )


CASES = {"other_source_agrees": _cases()}
