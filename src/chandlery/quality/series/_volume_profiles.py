"""The volume of sessions by minute of the day, as one matrix: what a clock is read from."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.quality.series.view import LOOKBACK_MINUTES, SeriesView

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

FEWEST = 5
"""With fewer sessions there is no pattern."""
_FEWEST_ALIKE = 3
_EARLIEST, _LATEST = -570, 1440
_FARTHEST = 360
_MORNING = 0.6
_STANDS_OUT = 0.3
"""An opening trades a third more than any other minute of the morning, in the mean of the logarithms."""
_PEAK_WIDTH = 3
_SHORTEST_MORNING = 60


@dataclass(frozen=True, eq=False)
class VolumeProfiles:
    """Log volumes less the mean of their session, one row a session, one column a minute.

    Attributes:
        days: session, open, close, is_early of the rows, ascending.
        values: 0 where nothing traded, as if it were the mean.
        traded: where a bar with volume is.
        offset: minutes from the open to the first column.
        is_circle: the first minute follows the last.
    """

    days: pl.DataFrame
    values: Floats
    traded: Flags
    offset: int
    is_circle: bool

    @cached_property
    def is_ordinary(self) -> Flags:
        """Rows that are no half days."""
        ordinary: Flags = ~self.days["is_early"].to_numpy().astype(bool)
        return ordinary

    @cached_property
    def usual(self) -> Floats:
        """Mean profile of the ordinary sessions among the 20 before each row; 0 where fewer than 5 traded."""
        return self._means[0][:-1]

    @cached_property
    def likeness(self) -> Floats:
        """Correlation of each row with its usual profile; 0 without one."""
        norms = np.linalg.norm(self.values, axis=1) * np.linalg.norm(self.usual, axis=1)
        products = np.einsum("ij,ij->i", self.values, self.usual)
        likeness: Floats = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
        return likeness

    @cached_property
    def usual_likeness(self) -> Floats:
        """Median likeness of the ordinary sessions among the 20 before each row; NaN for fewer than 3."""
        known = self.usual.any(axis=1) & self.is_ordinary
        frame = pl.DataFrame({"likeness": np.where(known, self.likeness, np.nan)}).fill_nan(None)
        rolled = pl.col("likeness").rolling_median(LOOKBACK_MINUTES, min_samples=_FEWEST_ALIKE).shift(1)
        usual: Floats = frame.select(rolled.fill_null(float("nan")))["likeness"].to_numpy()
        return usual

    @cached_property
    def openings(self) -> Floats:
        """The minute in which the sessions up to each row open; NaN where no minute stands out.

        It is the busiest minute of the morning in the mean of the ordinary sessions among the row and the 19 before.
        The morning is the first three fifths of the minutes that four sessions of five trade.
        """
        level, share = (values[1:] for values in self._means)
        always = share >= 0.8
        counts = always.cumsum(axis=1)
        morning = always & (counts <= _MORNING * counts[:, -1:])
        height = np.where(morning, level, -np.inf)
        peak = height.argmax(axis=1)
        rows, columns = np.arange(len(peak)), np.arange(height.shape[1])
        beside = np.abs(columns - peak[:, None]) <= _PEAK_WIDTH
        second = np.where(beside, -np.inf, height).max(axis=1)
        with np.errstate(invalid="ignore"):
            is_clear = (morning.sum(axis=1) >= _SHORTEST_MORNING) & (height[rows, peak] - second >= _STANDS_OUT)
        return np.where(is_clear, peak + float(self.offset), np.nan)

    def best_lags(self, rows: Places) -> tuple[Places, Floats]:
        """Return the minutes by which rows lie after their usual profile, and the correlations there."""
        own, usual = self.values[rows], self.usual[rows]
        width = own.shape[1]
        size = width if self.is_circle else 2 ** math.ceil(math.log2(width + min(width, _FARTHEST)))
        crossed = np.fft.irfft(np.fft.rfft(own, size) * np.conj(np.fft.rfft(usual, size)), size)
        lags = np.fft.fftfreq(size, 1 / size).round().astype(np.intp)
        crossed[:, np.abs(lags) > (size // 2 if self.is_circle else _FARTHEST)] = -np.inf
        places = crossed.argmax(axis=1)
        norms = np.linalg.norm(own, axis=1) * np.linalg.norm(usual, axis=1)
        peaks = crossed[np.arange(len(places)), places]
        return lags[places], np.divide(peaks, norms, out=np.zeros_like(peaks), where=norms > 0)

    @cached_property
    def _means(self) -> tuple[Floats, Floats]:
        """Mean over the ordinary sessions among the 20 rows before each place, and the share of them that traded.

        One place more than rows: after the last row.
        """
        ordinary = self.is_ordinary[:, None]
        sums = _rolled(np.where(ordinary, self.values, 0.0))
        counts = _rolled((ordinary & self.traded).astype(np.float64))
        known = counts >= FEWEST
        share = np.divide(counts, _rolled(ordinary.astype(np.float64)), out=np.zeros_like(counts), where=known)
        return np.divide(sums, counts, out=np.zeros_like(sums), where=known), share


def volume_profiles(view: SeriesView) -> VolumeProfiles | None:
    """Return the profiles of the sessions of a minute series that traded; None for fewer than 5."""
    bars = view.marked.filter(
        pl.col("is_session") & (pl.col("volume") > 0) & pl.col("minute").is_between(_EARLIEST, _LATEST, closed="left")
    ).select("session", "minute", "volume", row=pl.col("session").rle_id())
    days = bars.select(pl.col("session").unique(maintain_order=True)).join(
        view.sessions.select("session", "open", "close", "is_early"), on="session", how="left", maintain_order="left"
    )
    if days.height < FEWEST:
        return None
    first = bars["minute"].to_numpy().min()
    width = 1440 if view.never_closes else int(bars["minute"].to_numpy().max() - first) + 1
    offset = 0 if view.never_closes else int(first)
    rows, columns = bars["row"].to_numpy(), bars["minute"].to_numpy() - offset
    traded = np.zeros((days.height, width), dtype=bool)
    traded[rows, columns] = True
    values = np.zeros((days.height, width))
    values[rows, columns] = np.log(bars["volume"].to_numpy())
    means = values.sum(axis=1, keepdims=True) / traded.sum(axis=1, keepdims=True)
    return VolumeProfiles(days, np.where(traded, values - means, 0.0), traded, offset, view.never_closes)


def _rolled(rows: Floats) -> Floats:
    """Sum of the up to 20 rows before each place; one place more than rows."""
    summed = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=summed[1:])
    result = summed.copy()
    result[LOOKBACK_MINUTES:] -= summed[:-LOOKBACK_MINUTES]
    return result
