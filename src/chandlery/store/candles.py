"""Candles and daily prices as frames, for the command line, studies and reports."""

from datetime import datetime

import polars as pl
from sqlalchemy import text

from chandlery.market.timeframes import Timeframe
from chandlery.store.frames import Parameter, read_frame
from chandlery.store.warehouse import Warehouse

_COLUMNS = (
    "symbol, timeframe, basis, ts, session, open, high, low, close, volume, vwap, trade_count, bar_count, "
    "expected_count, is_final, quality_score, source"
)


def read_candles(
    warehouse: Warehouse,
    *,
    symbol: str,
    timeframe: Timeframe,
    basis: str,
    start: datetime | None,
    end: datetime | None,
) -> pl.DataFrame:
    """Return the published candles of one series with `start <= ts < end`, ascending.

    Raises:
        NotMigrated: nothing was published yet.
    """
    parameters: list[Parameter] = [symbol, timeframe.value, basis]
    clauses = ["symbol = $1", "timeframe = $2", "basis = $3"]
    for bound, sign in ((start, ">="), (end, "<")):
        if bound is not None:
            parameters.append(bound)
            clauses.append(f"ts {sign} ${len(parameters)}")
    query = f"select {_COLUMNS} from serving.candles_v1 where {' and '.join(clauses)} order by ts"  # noqa: S608 - bound values
    return read_frame(warehouse, query, parameters)


def count_candles(warehouse: Warehouse, *, symbol: str, timeframe: Timeframe, basis: str) -> int:
    """Return how many candles one series holds."""
    query = "select count(*) as n from serving.candles_v1 where symbol = $1 and timeframe = $2 and basis = $3"
    return int(read_frame(warehouse, query, (symbol, timeframe.value, basis)).item())


def read_prices(warehouse: Warehouse, symbols: tuple[str, ...]) -> pl.DataFrame:
    """Return split-adjusted daily prices: symbol, session, ts, open, high, low, close, volume, source."""
    names = ", ".join(f"${place + 1}" for place in range(len(symbols)))
    query = (
        "select symbol, session, ts, open, high, low, close, volume, source from marts.prices_daily "  # noqa: S608 - bound values
        f"where symbol in ({names}) order by symbol, session"
    )
    return read_frame(warehouse, query, symbols)


def is_built(warehouse: Warehouse, relation: str) -> bool:
    """Tell whether a model `schema.name` exists."""
    with warehouse.read() as connection:
        query = text("select to_regclass(:relation) is not null")
        return bool(connection.execute(query, {"relation": relation}).scalar_one())
