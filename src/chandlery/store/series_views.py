"""What the warehouse holds of one series around some sessions: the material of a judgement, in one snapshot."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.fixed_reads import read_fixed
from chandlery.store.history import BAR_TABLES
from chandlery.store.warehouse import Reader

SESSION_BARS = ("session", "open", "high", "low", "close", "volume", "bars")
"""Columns of a session as another timeframe or source has it."""

REASONS = ("first", "late_trade", "split_rebasis", "vendor_correction", "repair", "repair_undone")
"""Reasons of versions (`market/revisions.py`); read as their places here, for columns are of one width."""

_REVISIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "known_from": TS,
    **dict.fromkeys(("old_close", "new_close", "old_volume", "new_volume"), pl.Float64),
    "reason_number": pl.Int32,
}
_MINUTE_VALUES: dict[str, pl.DataType | type[pl.DataType]] = {
    name: BAR_SCHEMA[name] for name in ("ts", "open", "high", "low", "close", "volume")
}


@dataclass(frozen=True, slots=True)
class SeriesSpan:
    """Sessions of one series, both ends inclusive, with their local midnights."""

    instrument: Instrument
    timeframe: Timeframe
    first: date
    last: date

    @property
    def since(self) -> datetime:
        """Local midnight of the first session, in UTC."""
        return _midnight(self.first, self.instrument)

    @property
    def until(self) -> datetime:
        """Local midnight after the last session, in UTC."""
        return _midnight(self.last + timedelta(days=1), self.instrument)


def _midnight(day: date, instrument: Instrument) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONES[instrument.calendar]))
    return local.astimezone(UTC)


def series_bars(connection: Reader, span: SeriesSpan) -> pl.DataFrame:
    """Return the present bars in `BAR_SCHEMA`, ascending by ts."""
    query = f"select {', '.join(BAR_SCHEMA)} {_from(span)}"
    return read_fixed(connection, query, _where(span), BAR_SCHEMA, optional=("vwap", "trade_count")).sort("ts")


def day_sessions(connection: Reader, span: SeriesSpan) -> pl.DataFrame:
    """Return the source's day bars by session, in `SESSION_BARS`, ascending."""
    days = SeriesSpan(span.instrument, Timeframe.D1, span.first, span.last)
    query = f"select {', '.join(_MINUTE_VALUES)} {_from(days)}"
    bars = read_fixed(connection, query, _where(days), _MINUTE_VALUES).sort("ts")
    one = pl.lit(1, dtype=pl.Int64).alias("bars")
    return bars.select(_session(span.instrument), pl.exclude("ts"), one).select(SESSION_BARS)


def minute_sessions(connection: Reader, span: SeriesSpan, sessions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the minutes rolled up by session, of regular and of extended hours, as `roll_up_sessions` does."""
    minutes = SeriesSpan(span.instrument, Timeframe.M1, span.first, span.last)
    query = f"select {', '.join(_MINUTE_VALUES)} {_from(minutes)}"
    bars = read_fixed(connection, query, _where(minutes), _MINUTE_VALUES).sort("ts")
    return roll_up_sessions(bars, sessions, span.instrument)


def roll_up_sessions(
    minutes: pl.DataFrame, sessions: pl.DataFrame, instrument: Instrument
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return minutes by session in `SESSION_BARS`, ascending: those of regular hours, and those from pre to post.

    Args:
        minutes: bars ascending by ts.
        sessions: the calendar, in `SESSION_SCHEMA`.
        instrument: whose.
    """
    hours = sessions.select("session", opens="open", closes="close", pre="pre_open", post="post_close")
    placed = minutes.with_columns(_session(instrument)).join(hours, on="session", maintain_order="left")
    ts = pl.col("ts")
    regular = placed.filter((ts >= pl.col("opens")) & (ts < pl.col("closes")))
    extended = placed.filter((ts >= pl.col("pre")) & (ts < pl.col("post")))
    return _by_session(regular), _by_session(extended)


def revisions(connection: Reader, span: SeriesSpan) -> pl.DataFrame:
    """Return the versions that replaced others: ts, reason, known_from, close and volume before and after.

    Ascending by ts and known_from.
    """
    present, history = (table.fullname for table in BAR_TABLES[span.timeframe])
    named = " ".join(f"when '{reason}' then {place}" for place, reason in enumerate(REASONS))
    query = f"""
        select h.ts, i.known_from, h.close as old_close, n.close as new_close, h.volume as old_volume,
            n.volume as new_volume, case n.reason {named} else {len(REASONS)} end as reason_number
        from {history} as h
        inner join ops.ingests as i on i.ingest_id = h.superseded_by
        inner join lateral (
            select p.reason, p.close, p.volume from {present} as p
            where p.instrument_id = h.instrument_id and p.ts = h.ts and p.ingest_id = h.superseded_by
            union all
            select o.reason, o.close, o.volume from {history} as o
            where o.instrument_id = h.instrument_id and o.ts = h.ts and o.ingest_id = h.superseded_by
        ) as n on true
        where h.instrument_id = %(instrument)s and h.ts >= %(since)s and h.ts < %(until)s
    """  # noqa: S608 - fixed names
    found = read_fixed(connection, query, _where(span), _REVISIONS).sort("ts", "known_from")
    reason = pl.col("reason_number").replace_strict(dict(enumerate((*REASONS, "other"))), return_dtype=pl.String)
    return found.with_columns(reason.alias("reason")).drop("reason_number")


def _by_session(minutes: pl.DataFrame) -> pl.DataFrame:
    return minutes.group_by("session", maintain_order=True).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
        pl.len().cast(pl.Int64).alias("bars"),
    )


def _session(instrument: Instrument) -> pl.Expr:
    return pl.col("ts").dt.convert_time_zone(ZONES[instrument.calendar]).dt.date().alias("session")


def _from(span: SeriesSpan) -> str:
    table = BAR_TABLES[span.timeframe][0].fullname
    return f"from {table} where instrument_id = %(instrument)s and ts >= %(since)s and ts < %(until)s"


def _where(span: SeriesSpan) -> dict[str, object]:
    return {"instrument": span.instrument.instrument_id, "since": span.since, "until": span.until}
