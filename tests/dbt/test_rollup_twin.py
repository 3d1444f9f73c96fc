"""The frame twin of the marts gives the same candles on every tape."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from chandlery.market.calendar import ZONES
from chandlery.market.rollup import roll_up
from chandlery.market.timeframes import CANDLE_TIMEFRAMES, Timeframe

SYMBOLS = ("AAPL", "MSFT", "SPY", "I:SPX", "X:BTCUSD", "CLOCK")
SUMS = ("volume", "vwap", "turnover")
SESSION_COLUMNS = ("calendar", "session", "open", "close", "pre_open", "post_close", "day_ts", "week_ts", "is_early")


@pytest.fixture(scope="module")
def sessions(mart: Any) -> dict[str, pl.DataFrame]:
    query = f"select {', '.join(SESSION_COLUMNS)} from ops.sessions where calendar = %s order by session"
    return {
        calendar: pl.DataFrame(mart.rows(query, calendar), schema=list(SESSION_COLUMNS), orient="row").with_columns(
            pl.col("open", "close", "pre_open", "post_close", "day_ts", "week_ts").dt.convert_time_zone("UTC")
        )
        for calendar in ("NYSE", "24/7")
    }


@pytest.mark.parametrize("timeframe", CANDLE_TIMEFRAMES)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_frame_and_mart_hold_the_same_candles(mart: Any, sessions: Any, symbol: str, timeframe: Timeframe) -> None:
    calendar = "24/7" if symbol.startswith("X:") else "NYSE"
    candles = roll_up(
        mart.minutes[symbol].sort("ts"),
        sessions[calendar],
        timeframe,
        zone=ZONES[calendar],
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        counts_fillers=symbol.startswith("I:"),
    )
    query = (
        f"select {', '.join(candles.columns)} from marts.candles_{timeframe} "
        "where instrument_id = (select instrument_id from ops.instrument_tickers where ticker = %s) order by ts"
    )
    held = pl.DataFrame(mart.rows(query, symbol), schema=dict(candles.schema), orient="row")
    exact = [name for name in candles.columns if name not in SUMS]
    assert candles.height > 0
    assert candles.select(exact).equals(held.select(exact))
    for name in SUMS:
        whole = name == "volume" and symbol not in {"X:BTCUSD", "CLOCK"}
        expected = [value if whole or value is None else pytest.approx(value, rel=1e-12, abs=0) for value in held[name]]
        assert candles[name].to_list() == expected
