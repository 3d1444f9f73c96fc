"""What speaks for or against bars that are missing: halts, quarantine, other timeframes and sources, sister symbols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import polars as pl

from chandlery.quality.series._habits import traded
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Says, Vote

_REACH = 0.001
"""10 bps: what a session's minutes and its day bar may differ (check 18)."""
_QUORUM = 3
"""Fewer sisters are no market."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True, eq=False)
class Absence:
    """The witnesses on missing bars of one view; each vote speaks of `[ts, ts_end)` or of whole sessions."""

    view: SeriesView

    def on_sessions(self, days: Sequence[date], spans: Sequence[Span]) -> list[Vote]:
        """Return the votes on sessions without any bar; `spans` are their regular hours."""
        minutes = sum(_minutes(start, end) for start, end in spans)
        found = [*self.halts(spans, needed=minutes), *self.held(spans, needed=len(days))]
        return [*found, *self.others(days), *self.sisters(days)]

    def halts(self, spans: Sequence[Span], *, needed: float) -> list[Vote]:
        """Return an explanation if halts and closures cover `needed` minutes of the spans."""
        instrument = self.view.instrument
        covered: dict[str, float] = {}
        for item in self.view.exceptions:
            if item.calendar != instrument.calendar or item.instrument_id not in {None, instrument.instrument_id}:
                continue
            common = sum(_minutes(max(start, item.starts_at), min(end, item.ends_at)) for start, end in spans)
            if common > 0:
                covered[item.reason] = covered.get(item.reason, 0.0) + common
        if not covered or sum(covered.values()) < needed:
            return []
        return [Vote("halt", Says.EXPLAINED, {"minutes": sum(covered.values()), "reason": "; ".join(covered)})]

    def held(self, spans: Sequence[Span], *, needed: float) -> list[Vote]:
        """Return a vote for a defect if `needed` missing bars came and lie in quarantine: the source did have them."""
        # A day bar lies at local midnight, before the hours of its session.
        slack = timedelta(0) if self.view.timeframe.minutes else timedelta(hours=14)
        bars = sum(any(start - slack <= ts < end for start, end in spans) for ts in self.view.held)
        return [Vote("quarantine", Says.DEFECT, {"held": bars})] if bars and bars >= needed else []

    def others(self, days: Sequence[date]) -> list[Vote]:
        """Return votes of another timeframe or source that has bars of the sessions."""
        name = "1d" if self.view.timeframe.minutes else "1m"
        witnesses = [("timeframe", name, self.view.other)]
        witnesses += [("source", source, frame) for source, frame in sorted(self.view.witnesses.items())]
        votes = []
        for by, of, frame in witnesses:
            known = frame.filter(pl.col("session").is_in(list(days)) & (pl.col("bars") > 0))
            if self.view.has_volume:
                known = known.filter(pl.col("volume") > 0)
            if known.height:
                votes.append(Vote(by, Says.DEFECT, {"of": of, "sessions": known.height}))
        return votes

    def sisters(self, days: Sequence[date]) -> list[Vote]:
        """Return a vote for a defect if at least three others of the venue traded on each of the sessions."""
        known = self.view.sisters.filter(pl.col("session").is_in(list(days)) & (pl.col("instruments") >= _QUORUM))
        if not days or known.height < len(days):
            return []
        return [Vote("sisters", Says.DEFECT, {"sessions": known.height, "fewest": _fewest(known)})]

    def not_asked(self, day: date, lost: Sequence[Span], *, needed: float) -> list[Vote]:
        """Return an explanation if `needed` minutes are the end of the last session that anybody asked for.

        Whether bars follow is known when the next session is asked for, after which this one is judged again. A day
        bar, another source, sisters with this session or bars held in its end say that it went on.
        """
        closes = self._closes.get(day)
        if day != self._last_asked or not lost or lost[-1][1] != closes:
            return []
        minutes, end = _minutes(*lost[-1]), lost[-1:]
        went_on = self.others([day]) or self.sisters([day]) or self.held(end, needed=1)
        if minutes < needed or went_on:
            return []
        return [Vote("asked", Says.EXPLAINED, {"minutes": minutes})]

    def reach(self, day: date) -> list[Vote]:
        """Return a vote for a defect if the day bar went where no minute of the session did."""
        theirs = self._days.get(day)
        ours = self._ranges.get(day)
        if theirs is None or ours is None:
            return []
        beyond = max(theirs["high"] / ours["high"] - 1, 1 - theirs["low"] / ours["low"])
        if beyond <= _REACH:
            return []
        return [Vote("timeframe", Says.DEFECT, {"of": "1d", "beyond_bps": beyond * 1e4})]

    @cached_property
    def _last_asked(self) -> date | None:
        asked = self.view.asked.drop_nulls()
        return None if asked.is_empty() else asked.sort()[-1]

    @cached_property
    def _closes(self) -> Mapping[date, datetime]:
        return dict(self.view.sessions.select("session", "close").iter_rows())

    @cached_property
    def _days(self) -> Mapping[date, Mapping[str, float]]:
        return {row["session"]: row for row in self.view.other.iter_rows(named=True)}

    @cached_property
    def _ranges(self) -> Mapping[date, Mapping[str, float]]:
        rolled = traded(self.view).group_by("session").agg(pl.col("high").max(), pl.col("low").min())
        return {row["session"]: row for row in rolled.iter_rows(named=True)}


def _minutes(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start) / timedelta(minutes=1))


def _fewest(known: pl.DataFrame) -> int:
    return int(known["instruments"].to_numpy().min())
