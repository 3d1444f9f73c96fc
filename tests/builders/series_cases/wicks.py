"""A high, a low, an open far from everything around: alone, refuted, confirmed."""

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
_WHOLE = series_views.by_session(_DAYS).with_columns(bars=pl.lit(390, dtype=pl.Int64))


def _bar(view: SeriesView) -> dict[str, float]:
    ts = _DAY if view is _DAYS else _MINUTE
    return view.bars.filter(pl.col("ts") == ts).row(0, named=True)


_LOW = series_views.with_put(_DAYS, _DAY, low=0.7 * _bar(_DAYS)["close"])
_OPEN = 1.5 * _bar(_DAYS)["open"]
_HIGH = series_views.with_put(_MINUTES, _MINUTE, high=1.1 * _bar(_MINUTES)["close"])

CASES = {
    "wicks_stay_near_the_body": (
        BrokenSeries(_LOW, (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(replace(_LOW, other=_WHOLE), (_DAY,), Verdict.CONFIRMED),
        BrokenSeries(
            replace(_LOW, witnesses={"vendor": series_views.by_session(_LOW).with_columns(pl.col("close") * 1.0003)}),
            (_DAY,),
            Verdict.TRUE_MOVE,
        ),
        # The very same feed under another name speaks for nothing.
        BrokenSeries(replace(_LOW, witnesses={"copy": series_views.by_session(_LOW)}), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(series_views.with_put(_DAYS, _DAY, open=_OPEN, high=_OPEN), (_DAY,), Verdict.SUSPECTED),
        BrokenSeries(_HIGH, (_MINUTE,), Verdict.SUSPECTED),
        BrokenSeries(replace(_HIGH, other=series_views.by_session(_MINUTES)), (_MINUTE,), Verdict.CONFIRMED),
        BrokenSeries(replace(_HIGH, other=series_views.by_session(_HIGH)), (_MINUTE,), Verdict.TRUE_MOVE),
    )
}
