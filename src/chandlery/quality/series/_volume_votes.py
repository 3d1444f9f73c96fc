"""What speaks for or against an unusual volume: the price, the neighbours, the calendar, other records."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series._split_factor import new_shares
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Detail, Says, Vote

HABIT = 20
"""Sessions that say what is usual."""
FEWEST = 5
"""With fewer of them a bar is not judged."""

_MOVES = 2.0
"""Twenty times the volume moves a price sqrt(20) = 4.5 times as far; half of that is no coincidence."""
_TOO_WIDE = 3.0
"""A day whose price moved three times as far as the square root of its volume allows did not trade so little."""
_STEADY = 4.0
"""A symbol whose quietest tenth of days trades a quarter of the median trades steadily."""
_BUSY = 3.0
_AROUND = {Timeframe.M1: 5, Timeframe.D1: 2}
_DAY_SHARE = (0.60, 1.05)
"""Regular minutes over the day's volume (check 18)."""
_SOURCES = 0.35
"""What the volumes of two sources may differ (check 20)."""
_SISTERS_MOVE = 3.0
_AUCTION_MINUTES = 5
_QUORUM = 3
_COMPLETE = 0.95
"""Share of its minutes a session must have before their sum means anything."""


@dataclass(frozen=True, eq=False)
class VolumeWitness:
    """The witnesses on the volume of one view's regular bars; volumes and prices on today's share basis."""

    view: SeriesView

    def compared(self, minutes: pl.Series) -> pl.DataFrame:
        """Return the bars of some minutes of the day with what is usual, by minute and ts.

        Columns of `bars`, and over the 20 sessions before with a bar in that minute, null for fewer than 5: `usual`
        and `usual_move` (medians), `low` and `high` (deciles of the volume).
        """
        volume = pl.col("volume")
        return (
            self.bars.filter(pl.col("minute").is_in(minutes.implode()))
            .sort("minute", "ts")
            .with_columns(
                pl.col(name).rolling_median(HABIT, min_samples=FEWEST).shift(1).over("minute").alias(usual)
                for name, usual in (("volume", "usual"), ("move", "usual_move"))
            )
            .with_columns(
                volume.rolling_quantile(share, "linear", HABIT, min_samples=FEWEST).shift(1).over("minute").alias(name)
                for name, share in (("low", 0.1), ("high", 0.9))
            )
        )

    @cached_property
    def bars(self) -> pl.DataFrame:
        """The traded regular bars, ascending: row, ts, session, minute, volume, move.

        `move` is the true range over the close before: it holds the gap of the night.
        """
        shares = new_shares(self.view)
        before = pl.col("close").shift(1).fill_null(pl.col("open"))
        reach = pl.max_horizontal("high", before) - pl.min_horizontal("low", before)
        return (
            self.view.marked.filter(pl.col("is_regular") & (pl.col("volume") > 0))
            .with_columns(pl.col("open", "high", "low", "close") / shares, volume=pl.col("volume") * shares)
            .with_row_index("row")
            .select("row", "ts", "session", "minute", "volume", move=reach / before)
        )

    def votes(self, part: pl.DataFrame) -> list[Vote]:
        """Return the votes on unusual bars of one session and one side, rows of `compared` with `is_large`."""
        row = part.row(0, named=True)
        times = float(part.select((pl.col("volume") / pl.col("usual")).median()).item())
        moved = (part["move"] / part["usual_move"]).median()
        votes = [*self._calendar(part), *self._other(row, float(part["volume"].sum())), *self._sources(row)]
        if isinstance(moved, float) and math.isfinite(moved):
            votes += self._price(moved, times, is_steady=_STEADY * row["low"] >= row["usual"])
        if row["is_large"]:
            votes += [*self._neighbours(part), *self._sisters(row["session"])]
        return votes

    def _price(self, moved: float, times: float, *, is_steady: bool) -> list[Vote]:
        """Price and volume move together: news has both, an invented volume has one."""
        detail = {"moved": moved}
        if times > 1:
            return [Vote("price", Says.TRUE, detail)] if moved >= _MOVES else []
        fits = moved / times**0.5
        if self.view.timeframe is Timeframe.D1:
            # A day of a twentieth of the volume is never proved by its range; a full range refutes it, but in a thin
            # symbol a few shares on both sides of the spread make one.
            return [Vote("price", Says.DEFECT, detail)] if is_steady and fits >= _TOO_WIDE else []
        return [Vote("price", Says.TRUE, detail)] if 1 / _MOVES <= fits <= _MOVES else []

    def _neighbours(self, part: pl.DataFrame) -> list[Vote]:
        reach, first, last = _AROUND[self.view.timeframe], part["row"][0], part["row"][-1]
        near = self.bars.filter(
            pl.col("row").is_between(first - reach, last + reach), ~pl.col("row").is_in(part["row"].implode())
        )
        if self.view.timeframe is Timeframe.M1:
            near = near.filter(pl.col("session") == part["session"][0])
        usual = self.compared(near["minute"].unique()).select("row", "usual")
        times = near.join(usual, on="row").select((pl.col("volume") / pl.col("usual")).median()).item()
        if times is None or times < _BUSY:
            return []
        return [Vote("persistence", Says.TRUE, {"neighbours_times_usual": times})]

    def _calendar(self, part: pl.DataFrame) -> list[Vote]:
        """A half day is thin and closes early; option expiries and index changes trade in the auctions."""
        day, is_large = part["session"][0], part["is_large"][0]
        hours = self._hours.get(day)
        if hours is None or self.view.never_closes:
            return []
        length, is_early = hours
        first, last = part.select(pl.col("minute").min(), last=pl.col("minute").max()).row(0)
        if is_early and (not is_large or first >= length - _AUCTION_MINUTES):
            return [Vote("calendar", Says.EXPLAINED, {"event": "half day"})]
        is_auction = last < 1 or first >= length - 1
        if self.view.timeframe is Timeframe.M1 and is_large and is_auction and _is_expiry(day):
            return [Vote("calendar", Says.EXPLAINED, {"event": "option expiry or index change"})]
        return []

    def _other(self, row: Mapping[str, Any], volume: float) -> list[Vote]:
        """The day bar beside its minutes: either has the volume of the other, or one of them is wrong."""
        found = self.view.other.filter(pl.col("session") == row["session"])
        theirs, bars = found.select("volume", "bars").row(0) if found.height else (0.0, 0)
        if not theirs > 0:
            return []
        own = float(self.view.marked.filter("is_regular", pl.col("session") == row["session"])["volume"].sum())
        least, most = _DAY_SHARE
        if self.view.timeframe is Timeframe.D1:
            length, _ = self._hours.get(row["session"], (0, False))
            if bars < _COMPLETE * length:
                return []
            share = theirs / own
            says = Says.TRUE if least <= share <= most else Says.DEFECT
            return [Vote("timeframe", says, {"of": "1m", "share_of_day": share})]
        share, rest = own / theirs, (own - volume) / theirs
        detail: Detail = {"of": "1d", "share_of_day": share}
        if not row["is_large"] or share < least:
            return []
        if share <= most:
            return [Vote("timeframe", Says.TRUE, detail)]
        return [Vote("timeframe", Says.DEFECT, detail)] if rest <= most else []

    def _sources(self, row: Mapping[str, Any]) -> list[Vote]:
        """Another source, where it is another: equal volumes on most days are the same feed."""
        if self.view.timeframe is not Timeframe.D1:
            return []
        votes = []
        mine = self.view.marked.select("session", mine="volume")
        for name, frame in sorted(self.view.witnesses.items()):
            both = mine.join(frame.select("session", theirs="volume"), on="session").filter(pl.col("theirs") > 0)
            here = both.filter(pl.col("session") == row["session"])
            same = both.select((pl.col("mine") == pl.col("theirs")).mean()).item()
            if here.is_empty() or same > 1 / 2:
                continue
            times = here["mine"][0] / here["theirs"][0]
            if abs(times - 1) <= _SOURCES:
                votes.append(Vote("source", Says.TRUE, {"of": name, "times_theirs": times}))
            elif not 1 / 5 < times < 5:
                votes.append(Vote("source", Says.DEFECT, {"of": name, "times_theirs": times}))
        return votes

    def _sisters(self, day: date) -> list[Vote]:
        moves = self.view.sisters.filter(pl.col("instruments") >= _QUORUM)
        here = moves.filter(pl.col("session") == day)["median_return"]
        usual = moves.select(pl.col("median_return").abs().median()).item()
        if here.is_empty() or moves.height < HABIT or not usual or abs(here[0]) < _SISTERS_MOVE * usual:
            return []
        return [Vote("sisters", Says.TRUE, {"median_return": here[0]})]

    @cached_property
    def _hours(self) -> Mapping[date, tuple[int, bool]]:
        minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
        rows = self.view.sessions.select("session", minutes.alias("minutes"), "is_early").iter_rows()
        return {session: (length, is_early) for session, length, is_early in rows}


def _is_expiry(day: date) -> bool:
    """Third Friday of a month (options, quarterly index changes), fourth Friday of June (Russell reconstitution)."""
    is_friday = day.isoweekday() == 5
    return is_friday and (15 <= day.day <= 21 or (day.month == 6 and 22 <= day.day <= 28))
