"""Sessions in which fewer instruments have bars than usual (check 27)."""

from collections.abc import Mapping

import polars as pl

from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import Hit
from chandlery.quality.thresholds import Threshold
from chandlery.quality.venue.freshness import due_sessions, with_bars
from chandlery.quality.venue.rule import VenueRule, venue_hits
from chandlery.quality.venue.view import VenueView

SHARE = Threshold(
    "universe_share",
    default=0.97,
    low=0.5,
    high=1.0,
    doc="Least share of the usual number of instruments with bars; listings change a market by far less in a day.",
)
MEMBERS = Threshold(
    "universe_members",
    default=10.0,
    low=2.0,
    high=1000.0,
    doc="Instruments from which their number says something of the source; of fewer, each one's own checks tell.",
)
_USUAL_SESSIONS = 20
_LEAST_SESSIONS = 5
_NAMED = 20


def _universe_is_whole(view: VenueView) -> pl.DataFrame:
    present = with_bars(view).with_columns(has_bars=True)
    owed = due_sessions(view).join(present, on=["instrument_id", "session"], how="left", maintain_order="left")
    owed = owed.with_columns(pl.col("has_bars").fill_null(value=False))
    counts = owed.group_by("session").agg(
        pl.col("open").first(),
        pl.col("close").first(),
        listed=pl.len(),
        count=pl.col("has_bars").sum(),
        absent=pl.col("symbol").filter(~pl.col("has_bars")).sort(),
    )
    # Shares, because listings and delistings change the count without anything being wrong.
    usual = (pl.col("count") / pl.col("listed")).rolling_median(_USUAL_SESSIONS, min_samples=_LEAST_SESSIONS).shift(1)
    judged = (pl.col("session") >= view.start) & (pl.col("session") < view.end)
    short = pl.col("count") < view.value(SHARE) * pl.col("usual")
    dropped = (
        counts.sort("session")
        .with_columns(usual=usual * pl.col("listed"))
        .filter(judged & short & (pl.col("listed") >= view.value(MEMBERS)))
    )
    return venue_hits((None, _hit(row)) for row in dropped.iter_rows(named=True))


def _hit(row: Mapping[str, object]) -> Hit:
    absent: list[str] = row["absent"]  # type: ignore[assignment]
    values = {
        "instruments": row["count"],
        "usual": row["usual"],
        "listed": row["listed"],
        "absent": ", ".join(absent[:_NAMED]),
        "absent_in_all": len(absent),
    }
    session: object = row["session"]
    return Hit(ts=row["open"], ts_end=row["close"], session=session, values=values)  # type: ignore[arg-type]


RULES = (
    VenueRule(
        "universe_is_whole",
        27,
        Severity.MAJOR,
        "Of the instruments listed on a session, 97 % of the usual share have bars, once they are due: the median over "
        "the 20 sessions before, at least 5. Not asked of fewer than 10 instruments.",
        _universe_is_whole,
        thresholds=(SHARE, MEMBERS),
    ),
)
