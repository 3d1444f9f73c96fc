"""Candles: what dbt needs to know of the warehouse, and the series a user asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from chandlery.errors import InvalidInput, NotFound
from chandlery.market.bars import check_range
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import Timeframe, parse_candle_timeframe
from chandlery.store.candles import count_candles, read_candles
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

Basis = Literal["minutes", "day"]


@dataclass(frozen=True, slots=True)
class CandleQuestion:
    """One series of candles, `[start, end)`; the texts are the user's own."""

    symbol: str
    timeframe: str
    basis: Basis = "minutes"
    start: datetime | None = None
    end: datetime | None = None


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


def find_candles(warehouse: Warehouse, question: CandleQuestion) -> pl.DataFrame:
    """Return the published candles asked for, ascending by `ts`.

    Raises:
        InvalidInput: impossible symbol, unknown timeframe, reversed range, basis without that timeframe.
        NotFound: unknown symbol, or no candle in the range; the message says what there is instead.
    """
    symbol, timeframe = parse_symbol(question.symbol), parse_candle_timeframe(question.timeframe)
    if question.basis == "day" and timeframe is not Timeframe.D1:
        raise InvalidInput(f"Candles of basis day exist as 1d only; the timeframe was {timeframe}.")
    if question.start is not None and question.end is not None:
        check_range(question.start, question.end)
    with warehouse.read() as connection:
        find_instrument(connection, symbol)
    frame = read_candles(
        warehouse,
        symbol=symbol,
        timeframe=timeframe,
        basis=question.basis,
        start=question.start,
        end=question.end,
    )
    if frame.is_empty():
        raise NotFound(_nothing(warehouse, symbol, timeframe, question))
    return frame


def _nothing(warehouse: Warehouse, symbol: str, timeframe: Timeframe, question: CandleQuestion) -> str:
    asked = f"{symbol} {timeframe} (basis {question.basis})"
    total = count_candles(warehouse, symbol=symbol, timeframe=timeframe, basis=question.basis)
    if total:
        return f"{asked} has no candle from {question.start} to {question.end}; {total} lie outside that range."
    other: Basis = "day" if question.basis == "minutes" else "minutes"
    elsewhere = count_candles(warehouse, symbol=symbol, timeframe=timeframe, basis=other)
    hint = f"{elsewhere} exist with basis {other}" if elsewhere else "ingest its bars first (`chandlery demo`)"
    return f"{asked} has no candles; {hint}."
