"""Scores of single bars: those that some finding covers, with the findings that do."""

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.checks import Term
from chandlery.quality.findings import Severity
from chandlery.quality.tally import costing
from chandlery.store.history import present_bars
from chandlery.store.quality_reads import SeriesRange, held_instants, read_findings_of
from chandlery.store.sessions import sessions_between
from chandlery.store.warehouse import Reader, Warehouse

BAR_SCORE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timeframe": pl.String,
    "ts": TS,
    "session": pl.Date,
    "score": pl.Float64,
    "is_held": pl.Boolean,
    "checks": pl.List(pl.Int16),
    "finding_ids": pl.List(pl.Int64),
}
"""One judged bar below 1: regular and published, or held. `score` is the product of (1 - weight) of its findings."""

_ABOUT_BARS = (Term.VALIDITY.value, Term.PLAUSIBILITY.value, Term.CONSISTENCY.value)
_WEIGHTS = {severity.value: severity.weight for severity in Severity}
_NEAR = timedelta(days=10)
"""Sessions closer than this are read in one go."""


def find_bar_scores(
    warehouse: Warehouse,
    instrument: Instrument,
    timeframe: Timeframe | None,
    *,
    start: date | None = None,
    end: date | None = None,
) -> pl.DataFrame:
    """Return the bars below 1 on the sessions `start <= session < end` in `BAR_SCORE_SCHEMA`, by timeframe and ts.

    Only the days that findings name are read, so a long clean history costs nothing.
    """
    chosen = (timeframe,) if timeframe else BASE_TIMEFRAMES
    parts = [
        _of_series(warehouse, instrument, SeriesRange(instrument.instrument_id, one, start, end), one) for one in chosen
    ]
    return pl.concat([pl.DataFrame(schema=BAR_SCORE_SCHEMA), *parts])


def _of_series(warehouse: Warehouse, instrument: Instrument, wanted: SeriesRange, timeframe: Timeframe) -> pl.DataFrame:
    with warehouse.read() as connection:
        found = costing(read_findings_of(connection, wanted)).filter(pl.col("term").is_in(_ABOUT_BARS))
        if found.is_empty():
            return pl.DataFrame(schema=BAR_SCORE_SCHEMA)
        held = pl.DataFrame(
            {"ts": held_instants(connection, instrument.instrument_id, timeframe)}, schema={"ts": TS}
        ).with_columns(_local_date(instrument).alias("session"))
    spans = _spans(found.select("session", "last_session").unique().sort("session").iter_rows())
    bars = pl.concat([_judged(warehouse, instrument, timeframe, held, *span) for span in spans])
    if wanted.start is not None:
        bars = bars.filter(pl.col("session") >= wanted.start)
    if wanted.end is not None:
        bars = bars.filter(pl.col("session") < wanted.end)
    return _scored(bars, found, timeframe)


def _spans(sessions: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """Return first and last days of runs of neighbouring spans; given in order of their first days."""
    runs: list[tuple[date, date]] = []
    for first, last in sessions:
        if runs and first - runs[-1][1] <= _NEAR:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return runs


def _judged(  # noqa: PLR0917 - one stretch of one series
    warehouse: Warehouse,
    instrument: Instrument,
    timeframe: Timeframe,
    held: pl.DataFrame,
    first: date,
    last: date,
) -> pl.DataFrame:
    """Return the judged bars of the days `first` to `last`: ts, session, is_held."""
    days = sessions_between(warehouse, instrument.calendar, first, last + timedelta(days=1))
    quarantined = held.filter(pl.col("session").is_between(first, last)).with_columns(is_held=pl.lit(value=True))
    if days.is_empty():
        return quarantined
    with warehouse.read() as connection:
        present = _present(connection, instrument, timeframe, days)
    published = present.with_columns(is_held=pl.lit(value=False))
    # A held version of a published bar is the same bar.
    return pl.concat([published, quarantined.join(present, on="ts", how="anti")])


def _present(connection: Reader, instrument: Instrument, timeframe: Timeframe, days: pl.DataFrame) -> pl.DataFrame:
    since, until = days["day_ts"].min(), days["close"].max()
    bars = present_bars(connection, instrument.instrument_id, timeframe, since, until)  # type: ignore[arg-type]
    placed = bars.with_columns(_local_date(instrument).alias("session")).join(
        days.select("session", opens_at="open", closes_at="close", day_ts="day_ts"), on="session"
    )
    if timeframe is Timeframe.D1:
        return placed.filter(pl.col("ts") == pl.col("day_ts")).select("ts", "session")
    regular = (pl.col("ts") >= pl.col("opens_at")) & (pl.col("ts") < pl.col("closes_at"))
    if instrument.asset_class in {AssetClass.STOCKS, AssetClass.CRYPTO}:
        flat = pl.all_horizontal(pl.col(name) == pl.col("open") for name in ("high", "low", "close"))
        regular &= ~((pl.col("volume") == 0) & flat)
    return placed.filter(regular).select("ts", "session")


def _scored(bars: pl.DataFrame, found: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    spans = found.select(
        "finding_id",
        "check",
        since="ts",
        until=pl.col("ts_end").fill_null(pl.col("ts") + timedelta(minutes=1)),
        first_session="session",
        last_session="last_session",
        kept=1.0 - pl.col("severity").replace_strict(_WEIGHTS, return_dtype=pl.Float64),
    )
    covers = (
        (pl.col("first_session") <= pl.col("session"), pl.col("session") <= pl.col("last_session"))
        if timeframe is Timeframe.D1
        else (pl.col("since") <= pl.col("ts"), pl.col("ts") < pl.col("until"))
    )
    return (
        bars.join_where(spans, *covers)
        .group_by("ts", "session", "is_held")
        .agg(
            pl.lit(timeframe.value).alias("timeframe"),
            pl.col("kept").product().alias("score"),
            pl.col("check").unique().sort().alias("checks"),
            pl.col("finding_id").sort().alias("finding_ids"),
        )
        .sort("ts")
        .select(pl.col(name).cast(dtype) for name, dtype in BAR_SCORE_SCHEMA.items())
    )


def _local_date(instrument: Instrument) -> pl.Expr:
    return pl.col("ts").dt.convert_time_zone(ZONES[instrument.calendar]).dt.date()
