"""Sister symbols: what the rest of the market did on a day, as a witness for or against one instrument's move."""

from collections.abc import Mapping

import polars as pl

from chandlery.quality.series.view import SISTERS_SCHEMA

_FEWEST = 3
"""So many others make a market; fewer are no witness."""

CHANGES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "instrument_id": pl.Int64,
    "session": pl.Date,
    "change": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
"""One row an instrument and session: close, low and high over its close before, less 1; the last two may be null."""


def changes_of(days: pl.DataFrame) -> pl.DataFrame:
    """Return days of several instruments in `CHANGES_SCHEMA`, without those that have no return.

    Args:
        days: instrument_id, session, close; low and high where they are known. Ascending by session.
    """
    known = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("low", "high") if name not in days.columns]
    before = pl.col("close").shift(1).over("instrument_id")
    named = {"change": "close", "low": "low", "high": "high"}
    moved = [(pl.col(of) / before - 1.0).alias(name) for name, of in named.items()]
    changes = days.with_columns(known).select("instrument_id", "session", *moved).cast(dict(CHANGES_SCHEMA))  # type: ignore[arg-type]
    ranges = [pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in ("low", "high")]
    return changes.filter(pl.col("change").is_finite()).with_columns(ranges)


def medians_of_others(changes: pl.DataFrame, instrument_id: int) -> pl.DataFrame:
    """Return what the other instruments did by session, in `SISTERS_SCHEMA`; fewer than three others are left out.

    Lows and highs are null where fewer than three of them are known.

    Args:
        changes: `CHANGES_SCHEMA`.
        instrument_id: the one that is judged, which is no witness of itself.
    """
    ranges = [
        pl.when(pl.col(name).count() >= _FEWEST).then(pl.col(name).median()).alias(f"median_{name}")
        for name in ("low", "high")
    ]
    return (
        changes.filter(pl.col("instrument_id") != instrument_id)
        .group_by("session")
        .agg(pl.col("change").median().alias("median_return"), pl.len().cast(pl.Int64).alias("instruments"), *ranges)
        .filter(pl.col("instruments") >= _FEWEST)
        .select(*SISTERS_SCHEMA)
        .sort("session")
    )


def sister_returns(days: Mapping[int, pl.DataFrame], instrument_id: int) -> pl.DataFrame:
    """Return the median moves of all other instruments by session, in `SISTERS_SCHEMA`.

    From the close before, over the instrument's own sessions; sessions with fewer than three others are left out.

    Args:
        days: session and close, and low and high where known, by instrument; ascending by session.
        instrument_id: the one that is judged, which is no witness of itself.
    """
    every = [
        changes_of(frame.with_columns(instrument_id=pl.lit(number, dtype=pl.Int64))) for number, frame in days.items()
    ]
    return medians_of_others(pl.concat([pl.DataFrame(schema=CHANGES_SCHEMA), *every]), instrument_id)
