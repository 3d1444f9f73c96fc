"""Rules on bars that were published and then changed: both versions are kept, the change is told."""

import polars as pl

from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Verdict

REVISION_BPS = Threshold(
    "revision_bps",
    1.0,
    0.0,
    100.0,
    "Change of the close, in basis points, from which a correction counts as minor; less is the rounding of prices.",
)
_EXPECTED = ("late_trade", "split_rebasis", "repair")
"""Reasons that are the way of the market, of the publisher's share basis, and our own."""


def _bar_keeps_its_values(view: SeriesView) -> pl.DataFrame:
    """One hit a session and reason: a late tape revises hundreds of minutes in one answer."""
    return _hits(view) if view.revisions.height else no_hits()


def _hits(view: SeriesView) -> pl.DataFrame:
    last = (
        view.revisions.sort("ts", "known_from")
        .with_columns(versions=pl.len().over("ts"))
        .unique("ts", keep="last", maintain_order=True)
        .with_columns(
            session=view.session_date(),
            is_expected=pl.col("reason").is_in(_EXPECTED),
            bps=(pl.col("new_close") / pl.col("old_close") - 1).abs() * 1e4,
        )
    )
    told = (
        last.group_by("session", "reason", maintain_order=True)
        .agg(
            pl.col("ts").first(),
            (pl.col("ts").last() + pl.duration(minutes=1)).alias("ts_end"),
            pl.len().alias("bars"),
            pl.col("versions").max(),
            pl.col("known_from").max(),
            pl.col("is_expected").first(),
            pl.col("bps").max().alias("close_bps"),
            # A bar that was withdrawn has no new close.
            pl.col("new_close").is_null().any().alias("is_withdrawn"),
            pl.col("old_volume").sum(),
            pl.col("new_volume").sum(),
        )
        .sort("ts")
    )
    least = view.value(REVISION_BPS)
    names = ("reason", "bars", "versions", "known_from", "close_bps", "old_volume", "new_volume")
    return hits_frame(
        Hit(
            ts=row["ts"],
            ts_end=row["ts_end"] if row["bars"] > 1 else None,
            session=row["session"],
            severity=_severity(row["close_bps"], least, is_expected=row["is_expected"], is_gone=row["is_withdrawn"]),
            verdict=Verdict.EXPLAINED if row["is_expected"] else Verdict.CONFIRMED,
            values={name: row[name] for name in names},
        )
        for row in told.iter_rows(named=True)
    )


def _severity(bps: float | None, least: float, *, is_expected: bool, is_gone: bool) -> Severity:
    if is_expected:
        return Severity.INFO
    return Severity.MINOR if is_gone or (bps is not None and bps > least) else Severity.INFO


RULES = (
    SeriesRule(
        "bar_keeps_its_values",
        24,
        Severity.INFO,
        "A published bar does not change. What late trades, another share basis or a repair changed is explained; a "
        "correction that moves the close by more than 1 bps, or withdraws the bar, is minor. One finding a session and "
        "reason; both versions stay readable.",
        _bar_keeps_its_values,
        thresholds=(REVISION_BPS,),
    ),
)
