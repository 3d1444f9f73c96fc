"""Rules on bars that are not there."""

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import OFFENCE_SCHEMA, Severity, empty_offences, evidence
from chandlery.quality.rules.rule import PRICES, Rule
from chandlery.quality.verdicts import Verdict

_SHARE = 0.95


def _covered_sessions(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    """Sessions from the batch's first bar on: before it the instrument may not have been listed.

    Sessions after the last bar count: those after a delisting are not asked for, so an answer that ends early is a gap.
    """
    days = bars.filter(pl.col("ts").is_not_null()).select(context.session_date().alias("session"))["session"]
    asked = context.asked_sessions()
    if days.is_empty():
        return asked.clear()
    return asked.filter(pl.col("session") >= days.min())


def _session_is_complete(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    sessions = _covered_sessions(bars, context)
    if sessions.is_empty():
        return empty_offences()
    stamps = _traded(bars, context).select("ts").unique().sort("ts")
    minutes = stamps.join_asof(
        sessions.select("session", "open", "close").sort("open"), left_on="ts", right_on="open", strategy="backward"
    ).filter(pl.col("ts") < pl.col("close"))
    counted = minutes.group_by("session").agg(count=pl.len(), stamps="ts")
    shares = sessions.join(counted, on="session", how="left").with_columns(
        count=pl.col("count").fill_null(0),
        minutes=(pl.col("close") - pl.col("open")).dt.total_minutes(),
    )
    usual = (shares["count"] / shares["minutes"]).median()
    # An instrument that does not trade every minute is measured by its own habit.
    expected = pl.col("minutes") * (usual if isinstance(usual, float) and 0 < usual < _SHARE else 1.0)
    short = shares.with_columns(expected=expected).filter(pl.col("count") < _SHARE * pl.col("expected"))
    return _at_first_gap(short)


def _traded(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    if not context.has_volume:
        return bars
    flat = pl.all_horizontal(pl.col(name) == pl.col("open") for name in PRICES)
    return bars.filter(~((pl.col("volume") == 0) & flat).fill_null(value=False))


def _at_first_gap(short: pl.DataFrame) -> pl.DataFrame:
    """Put each finding on the first expected minute without a bar, which is no bar's own instant."""
    grid = pl.datetime_ranges("open", "close", interval="1m", closed="left", time_unit="us", time_zone="UTC")
    return (
        short.with_columns(missing=grid.list.set_difference(pl.col("stamps").fill_null([])).list.min())
        .select(
            pl.lit(None, dtype=pl.UInt32).alias("row"),
            pl.col("missing").alias("ts"),
            evidence("count", "expected", "minutes"),
        )
        .sort("ts")
        .cast(dict(OFFENCE_SCHEMA))  # type: ignore[arg-type]
    )


def _session_has_its_bar(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    days = bars.select(context.session_date().alias("session"))
    missing = _covered_sessions(bars, context).join(days, on="session", how="anti")
    return missing.select(
        pl.lit(None, dtype=pl.UInt32).alias("row"),
        pl.col("day_ts").alias("ts"),
        evidence(pl.col("session").cast(pl.String)),
    ).cast(dict(OFFENCE_SCHEMA))  # type: ignore[arg-type]


RULES = (
    Rule(
        "session_is_complete",
        17,
        Severity.MAJOR,
        "A regular session has at least 95 % of its minutes, fillers not counted; where the median session of the "
        "batch has less, 95 % of that. Counted from the first bar of the batch on.",
        _session_is_complete,
        timeframes=frozenset({Timeframe.M1}),
        verdict=Verdict.SUSPECTED,
    ),
    Rule(
        "session_has_its_bar",
        8,
        Severity.MAJOR,
        "Every session from the first day bar of the batch on has one.",
        _session_has_its_bar,
        timeframes=frozenset({Timeframe.D1}),
        verdict=Verdict.SUSPECTED,
    ),
)
