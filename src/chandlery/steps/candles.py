"""Candles: what dbt needs to know of the warehouse, and the series a user asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import polars as pl

from chandlery import clock
from chandlery.errors import InvalidInput, NotFound
from chandlery.market.bars import check_range
from chandlery.market.symbols import Instrument, parse_symbol
from chandlery.market.timeframes import Timeframe, parse_candle_timeframe
from chandlery.steps.candle_reads import CANDLE_SCHEMA, CandleReader, Variant
from chandlery.store.candles import count_candles, read_candles
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

Basis = Literal["auto", "minutes", "day"]
_DAY_TIMEFRAMES = frozenset({Timeframe.D1, Timeframe.W1})


@dataclass(frozen=True, slots=True)
class CandleQuestion:
    """One series of candles, `[start, end)`; the texts are the user's own.

    `basis` minutes: rolled up from minute bars. day: the source's own day bars, 1d and 1w only. auto: days and weeks
    without minutes are taken from day bars, and every row says which it is; other timeframes come from minutes.
    """

    symbol: str
    timeframe: str
    basis: Basis = "minutes"
    start: datetime | None = None
    end: datetime | None = None
    variant: Variant = field(default_factory=Variant)


def dbt_environment(warehouse: Warehouse) -> dict[str, str]:
    """Return the variables `dbt_project/profiles.yml` reads."""
    user, password = warehouse.database.login("pipeline")
    return {
        "CHANDLERY_DATABASE__HOST": warehouse.database.host,
        "CHANDLERY_DATABASE__PORT": str(warehouse.database.port),
        "CHANDLERY_DATABASE__NAME": warehouse.database.name,
        "CHANDLERY_DBT_USER": user,
        "CHANDLERY_DBT_PASSWORD": password,
    }


def find_candles(
    warehouse: Warehouse, question: CandleQuestion, *, now: Callable[[], datetime] = clock.now
) -> pl.DataFrame:
    """Return the candles asked for in `CANDLE_SCHEMA`, ascending by `ts`.

    The plain series is what was published; a variant (extended hours, clock alignment, adjusted, as of an instant) is
    rolled up from the versions of bars.

    Raises:
        InvalidInput: impossible symbol, unknown timeframe, reversed range, basis without that timeframe, an instant in
            the future.
        NotFound: unknown symbol, or no candle in the range; the message says what there is instead.
    """
    symbol, timeframe = parse_symbol(question.symbol), parse_candle_timeframe(question.timeframe)
    if question.basis == "day" and timeframe not in _DAY_TIMEFRAMES:
        raise InvalidInput(f"Candles of basis day exist as 1d and 1w only; the timeframe was {timeframe}.")
    question.variant.check(timeframe, question.basis)
    if question.start is not None and question.end is not None:
        check_range(question.start, question.end)
    with warehouse.read() as connection:
        instrument = find_instrument(connection, symbol)
    parts = [
        _series(warehouse, instrument, timeframe, basis, question, now) for basis in _bases(question.basis, timeframe)
    ]
    frame = parts[0]
    for other in parts[1:]:
        frame = pl.concat([frame, other.join(frame, on="session", how="anti")]).sort("ts")
    if frame.is_empty():
        raise NotFound(_nothing(warehouse, symbol, timeframe, question))
    return frame


def _bases(basis: Basis, timeframe: Timeframe) -> tuple[str, ...]:
    if basis != "auto":
        return (basis,)
    return ("minutes", "day") if timeframe in _DAY_TIMEFRAMES else ("minutes",)


def _series(  # noqa: PLR0917 - one series with all that was asked of it
    warehouse: Warehouse,
    instrument: Instrument,
    timeframe: Timeframe,
    basis: str,
    question: CandleQuestion,
    now: Callable[[], datetime],
) -> pl.DataFrame:
    if question.variant.is_stored and not (basis == "day" and timeframe is Timeframe.W1):
        stored = read_candles(
            warehouse,
            symbol=instrument.symbol,
            timeframe=timeframe,
            basis=basis,
            start=question.start,
            end=question.end,
        )
        return stored.select(pl.col(name).cast(dtype) for name, dtype in CANDLE_SCHEMA.items())
    reader = CandleReader(warehouse, instrument, question.variant, now)
    if basis == "day":
        if question.variant.hours == "extended" or question.variant.alignment == "clock":
            return pl.DataFrame(schema=CANDLE_SCHEMA)
        return reader.from_days(timeframe, question.start, question.end)
    return reader.from_minutes(timeframe, question.start, question.end)


def _nothing(warehouse: Warehouse, symbol: str, timeframe: Timeframe, question: CandleQuestion) -> str:
    asked = f"{symbol} {timeframe} (basis {question.basis})"
    if not question.variant.is_stored:
        moment = question.variant.as_of
        known = "" if moment is None else f" as known at {moment.isoformat()}"
        edges = [(word, edge) for word, edge in (("from", question.start), ("to", question.end)) if edge is not None]
        span = "".join(f" {word} {edge.isoformat()}" for word, edge in edges)
        return (
            f"{asked}{known} has no bar{span} that such candles could be made of; ask for another range or a later "
            "as-of, or ingest its bars first (`chandlery backfill`)."
        )
    basis = "minutes" if question.basis == "auto" else question.basis
    total = count_candles(warehouse, symbol=symbol, timeframe=timeframe, basis=basis)
    if total:
        return f"{asked} has no candle from {question.start} to {question.end}; {total} lie outside that range."
    other = "day" if basis == "minutes" else "minutes"
    elsewhere = count_candles(warehouse, symbol=symbol, timeframe=timeframe, basis=other)
    hint = f"{elsewhere} exist with basis {other}" if elsewhere else "ingest its bars first (`chandlery backfill`)"
    return f"{asked} has no candles; {hint}."
