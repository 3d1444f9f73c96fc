"""Rules on who a series belongs to: after a hole of a month a ticker may mean another company."""

from datetime import date, timedelta

import polars as pl

from chandlery.market.actions import ActionKind, Status
from chandlery.quality.findings import Severity
from chandlery.quality.series._absence import Absence
from chandlery.quality.series._habits import expected_sessions
from chandlery.quality.series._split_factor import new_shares
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

HOLE_DAYS = Threshold(
    "identity_hole_days",
    30.0,
    5.0,
    365.0,
    "Days without a bar after which it is asked whether the instrument is still the same; no market closes a month.",
)


_ASKED = 0.5


def _identity_has_no_hole(view: SeriesView) -> pl.DataFrame:
    least = int(view.value(HOLE_DAYS))
    days = view.marked.with_columns(shares=new_shares(view)).select(
        "ts",
        "session",
        before=pl.col("session").shift(1),
        change=(pl.col("open") / pl.col("shares")) / (pl.col("close") / pl.col("shares")).shift(1),
    )
    resumed = days.filter((pl.col("session") - pl.col("before")).dt.total_days() > least)
    if resumed.is_empty():
        return no_hits()
    asked = expected_sessions(view)
    absence = Absence(view)
    hits = []
    for row in resumed.filter(pl.col("session") >= view.start).iter_rows(named=True):
        in_hole = (pl.col("session") > row["before"]) & (pl.col("session") < row["session"])
        inside = asked.filter(in_hole)
        # A hole that nobody asked about is ours, not the instrument's.
        if inside.is_empty() or inside.height < _ASKED * view.sessions.filter(in_hole).height:
            continue
        spans = list(zip(inside["open"].to_list(), inside["close"].to_list(), strict=True))
        hours = sum((end - start) / timedelta(minutes=1) for start, end in spans)
        hits.append(
            Hit(
                ts=row["ts"],
                session=row["session"],
                values={"last_before": row["before"], "sessions": inside.height, "price_times": row["change"]},
                votes=[*_renamed(view, row["before"], row["session"]), *absence.halts(spans, needed=hours)],
            )
        )
    return hits_frame(hits)


def _renamed(view: SeriesView, before: date, resumed: date) -> list[Vote]:
    """The ticker changed while nothing was published: the bars before are of the same instrument."""
    events = [
        action.ex_date
        for action in view.actions
        if action.kind is ActionKind.TICKER_CHANGE and action.status is not Status.REJECTED
    ]
    days = sorted(day for day in {*view.renames, *events} if before < day <= resumed)
    return [Vote("rename", Says.EXPLAINED, {"on": days[-1].isoformat()})] if days else []


RULES = (
    SeriesRule(
        "identity_has_no_hole",
        26,
        Severity.MAJOR,
        "No more than 30 days pass between two bars of an instrument: after a longer hole the ticker may belong to "
        "another company. A change of ticker inside the hole, or a halt as long, explains it; days that were never "
        "asked for are no hole.",
        _identity_has_no_hole,
        thresholds=(HOLE_DAYS,),
    ),
)
