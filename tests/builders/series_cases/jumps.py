"""Steps by a split's ratio: quiet and scaled, of price alone, crashed."""

import polars as pl
import series_views
from quality_cases import BrokenSeries

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

_DAYS = series_views.clean_view(Timeframe.D1)
_MINUTES = series_views.clean_view(Timeframe.M1, lookback=20, judged=10)
_DAY, _FIRST = series_views.ts_of(_DAYS, 8), series_views.ts_of(_MINUTES, 3)


def _halved(volume: float, ratio: float = 2.0) -> SeriesView:
    return series_views.with_scaled(_DAYS, pl.col("ts") >= _DAY, price=1 / ratio, volume=volume)


_USUAL = _DAYS.bars["volume"].median()
_CRASH = series_views.with_put(_halved(1.0), _DAY, volume=11.0 * _USUAL)

CASES = {
    "jump_by_a_split_ratio_has_a_record": (
        BrokenSeries(_halved(2.0), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(_halved(0.1, ratio=0.1), (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(_halved(1.0), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(_halved(1.5, ratio=1.5), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(_CRASH, (_DAY,), Verdict.TRUE_MOVE),
        BrokenSeries(
            series_views.with_scaled(_MINUTES, pl.col("ts") >= _FIRST, price=0.25, volume=4.0),
            (_FIRST,),
            Verdict.SUSPECTED,
        ),
    )
}
