"""Rules on the key of a bar: one bar per instant."""

import polars as pl

from chandlery.market.bars import VALUE_COLUMNS
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity, empty_offences
from chandlery.quality.rules.rule import Rule, offences


def _sharing_their_ts(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars whose ts occurs more than once, a missing one included; most answers ascend and have none."""
    stamps = bars["ts"]
    if not stamps.null_count():
        instants = stamps.to_physical().to_numpy()
        if (instants[1:] > instants[:-1]).all():
            return bars.clear()
    return bars.filter(pl.col("ts").is_duplicated())


def _key_is_unique(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    shared = _sharing_their_ts(bars)
    if shared.is_empty():
        return empty_offences()
    versions = pl.struct(VALUE_COLUMNS).n_unique().over("ts")
    return offences(shared.with_columns(versions=versions), pl.col("versions") > 1, "versions", *VALUE_COLUMNS)


def _bar_is_not_repeated(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    shared = _sharing_their_ts(bars)
    if shared.is_empty():
        return empty_offences()
    alike = shared.with_columns(
        versions=pl.struct(VALUE_COLUMNS).n_unique().over("ts"),
        copies=pl.len().over("ts"),
        is_first=pl.col("row") == pl.col("row").min().over("ts"),
    )
    repeated = (pl.col("versions") == 1) & (pl.col("copies") > 1) & ~pl.col("is_first")
    return offences(alike, repeated, "copies")


RULES = (
    Rule(
        "key_is_unique",
        4,
        Severity.CRITICAL,
        "No two bars of one instant differ; nobody can say which is right, so all of them are held.",
        _key_is_unique,
    ),
    Rule(
        "bar_is_not_repeated",
        4,
        Severity.MINOR,
        "No bar arrives twice with equal values; the first stays, the copies are held.",
        _bar_is_not_repeated,
        holds=True,
    ),
)
