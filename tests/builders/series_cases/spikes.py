"""Closes that leap and return: alone, refuted by another record, confirmed by one, traded."""

from dataclasses import replace

import polars as pl
import series_views
from quality_cases import BrokenSeries

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

_DAYS = series_views.clean_view(Timeframe.D1)
_MINUTES = series_views.clean_view(Timeframe.M1, lookback=20, judged=5)
_DAY, _MINUTE = series_views.ts_of(_DAYS, 7), series_views.ts_of(_MINUTES, 2, 100)
# Doubled minutes of a session, so that what they do not reach was not traded.
_WHOLE = series_views.by_session(_DAYS).with_columns(bars=pl.lit(390, dtype=pl.Int64))


def _spiked_day(times: float, **more: float) -> SeriesView:
    """One close off, with the high that covers it: the bar of a bad print."""
    close = _DAYS.bars.filter(pl.col("ts") == _DAY)["close"][0] * times
    return series_views.with_put(_DAYS, _DAY, close=close, high=close, **more)


def _moved_minutes(times: float, count: int = 1) -> SeriesView:
    """Whole bars off, entered and left by a gap."""
    place = pl.col("ts").is_between(_MINUTE, _MINUTE + pl.duration(minutes=count), closed="left")
    return series_views.with_scaled(_MINUTES, place, price=times)


_TRADED = _spiked_day(1.3, volume=4e7)
_AGREED = replace(_spiked_day(1.3), other=series_views.by_session(_spiked_day(1.3)))

CASES = {
    "close_does_not_leap_and_return": (
        BrokenSeries(_spiked_day(1.3), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(replace(_spiked_day(1.3), other=_WHOLE), (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(_AGREED, (_DAY,), Verdict.TRUE_MOVE),
        BrokenSeries(_TRADED, (_DAY,), Verdict.TRUE_MOVE),
        BrokenSeries(_moved_minutes(1.02), (_MINUTE,), Verdict.SUSPECTED),
        BrokenSeries(_moved_minutes(0.97, count=3), (_MINUTE,), Verdict.SUSPECTED),
        BrokenSeries(
            replace(_moved_minutes(1.1), other=series_views.by_session(_MINUTES)), (_MINUTE,), Verdict.CONFIRMED
        ),
    )
}
