"""Which sessions are judged: those whose inputs changed since, and those whose judgement a change can turn."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import LOOKBACK, LOOKBACK_MINUTES, REACH
from chandlery.steps.judging_keys import SeriesInputs, keyed_sessions

_LONGEST = {Timeframe.M1: 504, Timeframe.D1: 100_000}
"""Sessions judged at once: two years of minutes are 200,000 bars, and what is not yet recorded is lost to a kill."""
_BEFORE = {Timeframe.M1: 1, Timeframe.D1: REACH}
"""Sessions before a changed one that are judged again: their hits wait to see whether a level persists."""


@dataclass(frozen=True, slots=True)
class Island:
    """Sessions `[start, end)` judged together, and what is looked at for it: `first_seen` to `last_seen`."""

    start: date
    end: date
    first_seen: date
    last_seen: date


@dataclass(frozen=True, slots=True, eq=False)
class SeriesPlan:
    """What is to be judged of one series.

    Attributes:
        inputs: what is known of it.
        islands: ascending.
        sessions: candidates: `session`, `bars`, `is_asked`, `read_key`, and whether it is `due`.
    """

    inputs: SeriesInputs
    islands: tuple[Island, ...]
    sessions: pl.DataFrame

    @property
    def instrument(self) -> Instrument:
        """Whose bars."""
        return self.inputs.instrument

    @property
    def timeframe(self) -> Timeframe:
        """Of the bars: 1m or 1d."""
        return self.inputs.timeframe

    def judged(self, island: Island) -> pl.DataFrame:
        """Return the candidates inside an island."""
        return self.sessions.filter((pl.col("session") >= island.start) & (pl.col("session") < island.end))

    def asked(self, island: Island) -> pl.Series:
        """Return the asked sessions of what an island looks at, ascending, and all later ones: the series goes on."""
        seen = pl.col("session") >= island.first_seen
        return self.sessions.filter(seen & pl.col("is_asked"))["session"]


def plan_series(series: SeriesInputs, *, rejudge: bool) -> SeriesPlan | None:
    """Return what is to be judged of a series, None where nothing changed; `rejudge`: all of its sessions."""
    keyed = keyed_sessions(series)
    mine = series.mine(series.ledger.judged).select("session", judged="read_key")
    inside = (pl.col("session") >= series.start) & (pl.col("session") < series.end)
    changed = pl.lit(rejudge) | pl.col("read_key").ne_missing(pl.col("judged"))
    marked = keyed.join(mine, on="session", how="left", maintain_order="left").with_columns(due=inside & changed)
    islands = islands_of(marked, series.timeframe)
    return SeriesPlan(series, islands, marked) if islands else None


def islands_of(sessions: pl.DataFrame, timeframe: Timeframe) -> tuple[Island, ...]:
    """Return the stretches to judge of candidates (`session`, `bars`, `due`; ascending), the longest ones divided.

    A stretch is what changed with the sessions around that hang on it, which reach as many sessions with bars on as
    rules look back; what is looked at begins so many earlier.
    """
    due = np.flatnonzero(sessions["due"].to_numpy())
    if not due.size:
        return ()
    days = sessions["session"]
    has_bars = np.flatnonzero((sessions["bars"] > 0).to_numpy())
    look_back = LOOKBACK_MINUTES if timeframe is Timeframe.M1 else LOOKBACK
    found = []
    # The last session that looks back on each: so many with bars lie between.
    places = np.append(has_bars, np.full(look_back + 1, sessions.height - 1))
    reach = places[np.searchsorted(has_bars, due) + look_back]
    for low, high in _stretches(due, np.maximum(reach, np.minimum(due + REACH, sessions.height - 1)), timeframe):
        before = int(np.searchsorted(has_bars, low))
        after = int(np.searchsorted(has_bars, high, side="right"))
        seen = has_bars[max(0, before - look_back) : after + REACH]
        first, last = (min(low, int(seen[0])), max(high, int(seen[-1]))) if seen.size else (low, high)
        found.append(Island(days[low], days[high] + timedelta(days=1), days[first], days[last]))
    return tuple(found)


def _stretches(due: npt.NDArray[np.intp], highs: npt.NDArray[np.intp], timeframe: Timeframe) -> list[tuple[int, int]]:
    """Return first and last place of each stretch; `highs` are the last places that hang on `due`, ascending."""
    lows = np.maximum(due - _BEFORE[timeframe], 0)
    apart = np.flatnonzero(lows[1:] > highs[:-1] + 1)
    firsts = lows[np.concatenate([[0], apart + 1])]
    lasts = highs[np.concatenate([apart, [due.size - 1]])]
    longest = _LONGEST[timeframe]
    return [
        (first, min(first + longest - 1, int(high)))
        for low, high in zip(firsts, lasts, strict=True)
        for first in range(int(low), int(high) + 1, longest)
    ]
