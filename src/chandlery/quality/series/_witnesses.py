"""What other timeframes, other sources and sister symbols say of a price."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.other_sources import is_one_source
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Says, Vote

_AGREEMENT = 0.001
"""10 bps: what a roll-up and a day bar may differ (check 18)."""
_SAME_PRICE = 1e-5
"""0.1 bps, below any tick: a record that ends just there, where no other bar was, has seen that very price."""
_SAME_BASIS = 0.05
"""A witness whose price lies farther off, as a logarithm, is on another basis: it says nothing."""
_COMPLETE = 0.95
"""Share of a session's minutes a roll-up must hold before the absence of a price in it means anything."""
_SISTERS_MOVE = 0.02
_SISTERS_WICK = 0.03
"""How far the median of the others must have gone and come back: on a usual day it is half a percent, beyond 3 % the
whole market was without bids or offers for a while."""
_SISTERS_SHARE = 1 / 3
"""The same as a share of the wick: single stocks fell twice and three times as far as the market; beyond that it is
their own affair, and no wider market vouches for it."""

Row = Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """One corroborator: `by` timeframe or source, with its sessions."""

    by: str
    name: str
    rows: Mapping[date, Row]
    closes: pl.DataFrame

    def close_before(self, session: date) -> float | None:
        """Return its last close before a session."""
        place = int(self.closes["session"].search_sorted(session)) - 1
        return None if place < 0 else float(self.closes["close"][place])


@dataclass(frozen=True, eq=False)
class Witnesses:
    """All corroborators of a view; built once a judgement, and only when there is something to ask."""

    view: SeriesView

    @cached_property
    def sessions(self) -> tuple[Witness, ...]:
        """Other timeframe and other sources; a source that is this very feed corroborates nothing."""
        found = []
        if self.view.other.height:
            name = "1d" if self.view.timeframe is Timeframe.M1 else "1m"
            found.append(_witness("timeframe", name, self.view.other))
        for name, frame in sorted(self.view.witnesses.items()):
            if frame.height and not self._is_same_feed(frame):
                found.append(_witness("source", name, frame))
        return tuple(found)

    def on_close(self, session: date, *, before: float, seen: float) -> list[Vote]:
        """Return votes on a day's close that moved from `before` to `seen`: where do others close?"""
        votes = []
        jump = abs(math.log(seen / before))
        for witness in self.sessions:
            row, last = witness.rows.get(session), witness.close_before(session)
            if row is None or last is None or abs(math.log(last / before)) > _SAME_BASIS:
                continue
            off = abs(math.log(row["close"] / seen))
            says = Says.TRUE if off <= jump / 4 else Says.DEFECT if off >= jump / 2 else None
            if says:
                votes.append(Vote(witness.by, says, {"of": witness.name, "close": row["close"]}))
        return votes

    def on_reach(
        self, session: date, *, seen: float, usual: float, is_up: bool, others: float | None = None
    ) -> list[Vote]:
        """Return votes on an extreme price: does another record of the session reach it?

        Args:
            session: of the price.
            seen: the price in doubt.
            usual: the price it is compared with, beyond doubt: the body of its bar.
            is_up: whether it lies above `usual`.
            others: the extreme of the session's other bars on that side; a record that reaches no farther than they
                do has not seen the price in doubt.
        """
        votes = []
        sign = 1.0 if is_up else -1.0
        excess = abs(math.log(seen / usual))
        for witness in self.sessions:
            row = witness.rows.get(session)
            if row is None or not row["low"] / (1 + _SAME_BASIS) <= usual <= row["high"] * (1 + _SAME_BASIS):
                continue
            extreme = self._extreme(witness, session, row, is_up=is_up)
            short = sign * math.log(seen / extreme)
            beyond = math.inf if others is None else sign * math.log(extreme / others)
            says = _of_reach(short, beyond, excess)
            if says is Says.TRUE or (says is Says.DEFECT and self._is_whole(witness, session, row)):
                votes.append(Vote(witness.by, says, {"of": witness.name, "high" if is_up else "low": extreme}))
        return votes

    def on_move(self, session: date, jump: float) -> list[Vote]:
        """Return a vote for a move that the other instruments made too: a quarter of it, and at least 2 %."""
        found = self._sisters.get(session)
        if found is None or found[0] * jump <= 0 or abs(found[0]) < max(_SISTERS_MOVE, abs(jump) / 4):
            return []
        return [Vote("sisters", Says.TRUE, {"median_return": found[0], "instruments": found[1]})]

    def on_excursion(self, session: date, *, seen: float, usual: float) -> list[Vote]:
        """Return a vote for a day's extreme price if the other instruments went that way too, and came back.

        That they closed there as well is no wick: what counts is how far their low lies under both closes, or their
        high above. It speaks of days alone; which minute it was is not known of them.
        """
        found = self._ranges.get(session) if self.view.timeframe is Timeframe.D1 else None
        side = "median_high" if seen > usual else "median_low"
        if found is None or found[side] is None or min(found[side], found["median_return"]) <= -1:
            return []
        returned = math.log1p(found["median_return"])
        beyond = math.log1p(found[side]) - (max(0.0, returned) if seen > usual else min(0.0, returned))
        wick = math.log(seen / usual)
        if beyond * wick <= 0 or abs(beyond) < max(_SISTERS_WICK, _SISTERS_SHARE * abs(wick)):
            return []
        return [Vote("sisters", Says.TRUE, {side: found[side], "instruments": found["instruments"]})]

    def _extreme(self, witness: Witness, session: date, row: Row, *, is_up: bool) -> float:
        """Return a record's high or low, of minutes that of all hours: some publishers' days count them."""
        side = "high" if is_up else "low"
        wider = self._extended.get(session) if witness.by == "timeframe" else None
        if wider is None:
            return row[side]
        return max(row[side], wider[side]) if is_up else min(row[side], wider[side])

    @cached_property
    def _extended(self) -> Mapping[date, Row]:
        return _witness("timeframe", "extended", self.view.other_extended).rows

    @cached_property
    def _sisters(self) -> Mapping[date, tuple[float, int]]:
        rows = self.view.sisters.select("session", "median_return", "instruments").iter_rows()
        return {session: (median, count) for session, median, count in rows if median is not None}

    @cached_property
    def _ranges(self) -> Mapping[date, Mapping[str, Any]]:
        known = self.view.sisters
        if "median_low" not in known.columns or "median_high" not in known.columns:
            return {}
        return {row["session"]: row for row in known.drop_nulls("median_return").iter_rows(named=True)}

    def _is_whole(self, witness: Witness, session: date, row: Row) -> bool:
        if witness.by != "timeframe" or self.view.timeframe is Timeframe.M1:
            return True
        hours = self.view.sessions.filter(pl.col("session") == session)
        minutes = (hours["close"][0] - hours["open"][0]) / timedelta(minutes=1) if hours.height else math.inf
        return row["bars"] >= _COMPLETE * minutes

    def _is_same_feed(self, frame: pl.DataFrame) -> bool:
        return self.view.timeframe is Timeframe.D1 and is_one_source(self.view.marked, frame)


def _of_reach(short: float, beyond: float, excess: float) -> Says | None:
    """Return what a record says that ends `short` of a price in doubt and reaches `beyond` the other bars.

    Of a day bar (`beyond` infinite) a quarter and a half of the excess decide: vendors differ in odd lots and hours.
    """
    if abs(short) <= _SAME_PRICE < beyond:
        return Says.TRUE
    near = _AGREEMENT if math.isfinite(beyond) else max(_AGREEMENT, excess / 4)
    if short <= near:
        return Says.TRUE if beyond > _AGREEMENT else None
    return Says.DEFECT if beyond <= _AGREEMENT or short > max(_AGREEMENT, excess / 2) else None


def _witness(by: str, name: str, frame: pl.DataFrame) -> Witness:
    sound = [pl.col(column) > 0 for column in ("open", "high", "low", "close")]
    kept = frame.filter(*sound).sort("session")
    rows = {row["session"]: row for row in kept.iter_rows(named=True)}
    return Witness(by, name, rows, kept.select("session", "close"))
