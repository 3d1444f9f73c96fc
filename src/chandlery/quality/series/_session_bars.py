"""A series by session, to be laid beside another timeframe or source, and what a set of verdicts comes to."""

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

PRICES = ("open", "high", "low", "close")
Row = Mapping[str, float]
_FROM_WORST = (Verdict.CONFIRMED, Verdict.SUSPECTED, Verdict.TRUE_MOVE, Verdict.EXPLAINED)


def own_sessions(view: SeriesView) -> pl.DataFrame:
    """Return the view's sessions, ascending: session, ts, ts_end, open, high, low, close, volume, bars.

    Of day bars each its bar, `ts_end` null; of minutes the roll-up of the regular ones, from the opening to the close.
    """
    return view.once(_own_sessions)


def _own_sessions(view: SeriesView) -> pl.DataFrame:
    if view.timeframe is Timeframe.D1:
        bars = view.marked.filter("is_session")
        end, one = pl.lit(None, dtype=TS), pl.lit(1, dtype=pl.Int64)
        return bars.select("session", "ts", end.alias("ts_end"), *PRICES, "volume", one.alias("bars"))
    first, last = pl.col("open").first(), pl.col("close").last()
    sums = (pl.col("high").max(), pl.col("low").min(), last, pl.col("volume").sum(), pl.len().cast(pl.Int64))
    rolled = view.marked.filter("is_regular").group_by("session", maintain_order=True).agg(first, *sums)
    hours = view.sessions.select("session", ts="open", ts_end="close")
    joined = rolled.rename({"len": "bars"}).join(hours, on="session", how="inner", maintain_order="left")
    return joined.select("session", "ts", "ts_end", *PRICES, "volume", "bars")


def judged_only(view: SeriesView, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the sessions that are judged."""
    return frame.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end))


def with_share(view: SeriesView, frame: pl.DataFrame, bars: str = "bars") -> pl.DataFrame:
    """Return rolled-up sessions with `share`: their minutes over those of the regular hours."""
    minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
    hours = view.sessions.select("session", session_minutes=minutes)
    joined = frame.join(hours, on="session", how="inner", maintain_order="left")
    return joined.with_columns(share=pl.col(bars) / pl.col("session_minutes")).drop("session_minutes")


def sound(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose prices can be compared; other sources are not audited as ours is."""
    return frame.filter(pl.all_horizontal(pl.col(name) > 0 for name in PRICES))


def by_session(frame: pl.DataFrame) -> dict[date, Row]:
    """Return the rows by session."""
    return {row["session"]: row for row in sound(frame).iter_rows(named=True)}


def bps(one: str, other: str) -> pl.Expr:
    """How far column `one` lies above column `other`, in basis points of the latter."""
    return (pl.col(one) / pl.col(other) - 1) * 1e4


def bps_of(one: float, other: float) -> float:
    """How far `one` lies above `other`, in basis points of the latter."""
    return (one / other - 1) * 1e4


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of several verdicts on one bar, at least one given."""
    return min(verdicts, key=_FROM_WORST.index)
