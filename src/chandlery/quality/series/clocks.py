"""Rules on the clock of minutes: a day has its own pattern of volume, and a shifted clock shifts it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import TRADED
from chandlery.quality.series._absence import Absence
from chandlery.quality.series._volume_profiles import VolumeProfiles, volume_profiles
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

CLOCK_SHIFT = Threshold(
    "clock_shift_minutes",
    5.0,
    2.0,
    120.0,
    "Minutes a session must be shifted by: a wrong zone or a missed change of the clock makes 15 to 300, and a minute "
    "or two is the question of labels.",
)
CLOCK_LIKENESS = Threshold(
    "clock_likeness",
    0.3,
    0.1,
    0.9,
    "Correlation of a session's log volumes with the mean of the 20 before that must be usual for the instrument; with "
    "less its days have no pattern that could be shifted, as those of many coins.",
)
_GAIN, _FOUND = 0.1, 0.75
"""At its lag a shifted session is clearly more like the others, and three quarters as like as they are."""
_SAME_PRICE = 2e-4
_MINUTE = timedelta(minutes=1)


def _volume_keeps_its_clock(view: SeriesView) -> pl.DataFrame:
    profiles = volume_profiles(view)
    return no_hits() if profiles is None else hits_frame(_hits(view, profiles))


def _hits(view: SeriesView, profiles: VolumeProfiles) -> Iterator[Hit]:
    least, needed = view.value(CLOCK_SHIFT), view.value(CLOCK_LIKENESS)
    judged = (profiles.days["session"] >= view.start).to_numpy() & profiles.is_ordinary
    with np.errstate(invalid="ignore"):
        alike = np.flatnonzero(judged & (profiles.usual_likeness >= needed))
        # A market that never closes has no opening.
        has_open = view.instrument.asset_class is AssetClass.STOCKS
        is_late = judged & (np.abs(profiles.openings) >= least) if has_open else np.zeros_like(judged)
    here, usual = profiles.likeness[alike], profiles.usual_likeness[alike]
    lags, there = profiles.best_lags(alike)
    is_shifted = (np.abs(lags) >= least) & (there >= here + _GAIN) & (there >= _FOUND * usual)
    found: dict[int, dict[str, float]] = {
        int(row): {"lag_minutes": int(profiles.openings[row])} for row in np.flatnonzero(is_late)
    }
    for place in np.flatnonzero(is_shifted):
        likeness = {"likeness": float(here[place]), "likeness_there": float(there[place])}
        found[int(alike[place])] = {"lag_minutes": int(lags[place]), **likeness}
    for row, values in sorted(found.items()):
        yield _hit(view, profiles.days.row(row, named=True), values)


def _hit(view: SeriesView, day: Mapping[str, Any], values: Mapping[str, float]) -> Hit:
    opens, closes = day["open"], day["close"]
    lag = timedelta(minutes=values["lag_minutes"])
    bars = view.marked.filter(pl.col("session") == day["session"])
    votes = [*_grid(bars, opens + lag, closes + lag), *_open_of_day(view, bars, opens, lag)]
    if lag > timedelta(0):
        votes += Absence(view).halts([(opens, opens + lag)], needed=values["lag_minutes"])
    return Hit(ts=opens, ts_end=closes, session=day["session"], values=values, votes=votes)


def _grid(bars: pl.DataFrame, opens: datetime, closes: datetime) -> list[Vote]:
    """A session of regular minutes alone shows the shift in its own hours."""
    first, last = bars["ts"][0], bars["ts"][-1]
    if first != opens or last != closes - _MINUTE:
        return []
    return [Vote("calendar", Says.DEFECT, {"first": first.isoformat(), "last": last.isoformat()})]


def _open_of_day(view: SeriesView, bars: pl.DataFrame, opens: datetime, lag: timedelta) -> list[Vote]:
    """The day bar opens where the session really opened."""
    theirs = view.other.filter(pl.col("session") == bars["session"][0])["open"]
    if theirs.is_empty():
        return []
    here, there = (bars.filter(pl.col("ts") == ts)["open"] for ts in (opens, opens + lag))
    is_here, is_there = (len(o) > 0 and abs(o[0] / theirs[0] - 1) <= _SAME_PRICE for o in (here, there))
    if is_here == is_there:
        return []
    return [Vote("timeframe", Says.DEFECT if is_there else Says.TRUE, {"of": "1d", "open": theirs[0]})]


RULES = (
    SeriesRule(
        "volume_keeps_its_clock",
        21,
        Severity.MAJOR,
        "The minute volumes of a session lie where those of the 20 sessions before lay: a session that is like them "
        "only when shifted by 5 minutes or more has another clock, and so has a stock whose opening, the busiest "
        "minute of its mornings, is not at the open. Half days, and instruments whose days have no pattern of their "
        "own, are not judged. Hours shifted alike or the open of the day bar confirm it.",
        _volume_keeps_its_clock,
        asset_classes=TRADED,
        timeframes=frozenset({Timeframe.M1}),
        thresholds=(CLOCK_SHIFT, CLOCK_LIKENESS),
    ),
)
