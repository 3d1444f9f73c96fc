"""Bar spacing: timeframe and number of periods a year, read off the bars themselves."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest import Panel

_MINUTE_US = 60_000_000
_DAY_US = 86_400_000_000
_WEEKDAYS, _EVERY_DAY = 252, 365
_SATURDAY = 6
_WEEKEND_SHARE = 0.15
"""Two of seven days are 0.29 of round-the-clock bars; a Sunday evening session is under 0.05."""
_DAILY = 4.0
"""Spacing in days up to which bars are days or shorter."""
_COARSE = ((20.0, 52, "weekly bars"), (60.0, 12, "monthly bars"), (200.0, 4, "quarterly bars"))
"""Spacing in days up to which a number of periods holds."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Bars a year, and why."""

    per_year: float
    reason: str


def timeframe_of(times: NDArray[np.int64]) -> str:
    """Return the commonest distance of bar opens as `5m`, `4h`, `1d` or `1w`; seconds as `10s`."""
    step = _step(times)
    if step >= 26 * _DAY_US:
        return "1M"
    for unit, length in (("w", 7 * _DAY_US), ("d", _DAY_US), ("h", 60 * _MINUTE_US), ("m", _MINUTE_US)):
        if step >= length:
            return f"{round(step / length)}{unit}"
    return f"{max(1, round(step / 1_000_000))}s"


def periods_per_year(panel: Panel) -> Periods:
    """Return how many bars of this spacing make a year; days are those of the panel's time zone."""
    stamps = pl.from_epoch(pl.Series(panel.ts), "us").dt.replace_time_zone("UTC")
    return periods_of(stamps.dt.convert_time_zone(panel.timezone))


def periods_of(stamps: pl.Series) -> Periods:
    """Return how many bars that open at `stamps` (ascending, in the time zone of the exchange) make a year.

    Days of trading are 365 where bars open on weekends as on other days, else 252; bars within a day count with
    the median number of bars of a day.
    """
    days = _step(stamps.dt.epoch("us").to_numpy()) / _DAY_US
    if days > _DAILY:
        known = ((count, reason) for limit, count, reason in _COARSE if days <= limit)
        count, reason = next(known, (365.0 / days, f"one bar every {days:.0f} days"))
        return Periods(count, reason)
    weekends = float((stamps.dt.weekday() >= _SATURDAY).to_numpy().mean())
    year, kind = (_EVERY_DAY, "on all days") if weekends > _WEEKEND_SHARE else (_WEEKDAYS, "on weekdays")
    if days > 0.75:
        return Periods(year / max(1, round(days)), f"daily bars {kind}: {year} days")
    daily = float(np.median(stamps.dt.date().value_counts()["count"].to_numpy()))
    return Periods(year * daily, f"{daily:,.0f} bars a day {kind}: {year} days")


def _step(times: NDArray[np.int64]) -> float:
    return float(np.median(np.diff(times)))
