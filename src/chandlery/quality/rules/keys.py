"""Rules on the key of a bar: one bar per instant."""

import polars as pl

from chandlery.market.bars import VALUE_COLUMNS
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import Rule, offences


def _key_is_unique(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    versions = pl.struct(VALUE_COLUMNS).n_unique().over("ts")
    return offences(bars.with_columns(versions=versions), pl.col("versions") > 1, "versions", *VALUE_COLUMNS)


def _bar_is_not_repeated(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    alike = bars.with_columns(
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
