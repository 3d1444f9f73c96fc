"""Prices in another unit: a bar, a block, one price, everything from a day on."""

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
_PENCE = replace(_DAYS, instrument=replace(_DAYS.instrument, currency="GBp"))


def _block(view: SeriesView, times: float, first: int, last: int) -> SeriesView:
    place = pl.col("ts").is_between(series_views.ts_of(view, first), series_views.ts_of(view, last))
    return series_views.with_scaled(view, place, price=times)


_TALL = series_views.with_put(_DAYS, _DAY, high=100 * _DAYS.bars.filter(pl.col("ts") == _DAY)["high"][0])
_FROM = series_views.with_scaled(_DAYS, pl.col("ts") >= _DAY, price=0.01)

CASES = {
    "prices_keep_their_unit": (
        BrokenSeries(_block(_DAYS, 100, 7, 7), (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(_block(_DAYS, 0.001, 7, 10), (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(_TALL, (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(_FROM, (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(replace(_FROM, other=series_views.by_session(_DAYS)), (_DAY,), Verdict.CONFIRMED),
        # 60 bars of history in pounds, 20 in pence: a listing quoted in pence has the larger level.
        BrokenSeries(
            series_views.with_scaled(_PENCE, pl.col("ts") < _DAY, price=0.01),
            (_PENCE.bars["ts"][0],),
            Verdict.SUSPECTED,
        ),
        BrokenSeries(
            series_views.with_scaled(_MINUTES, pl.col("ts") == _MINUTE, price=100), (_MINUTE,), Verdict.CONFIRMED
        ),
    )
}
