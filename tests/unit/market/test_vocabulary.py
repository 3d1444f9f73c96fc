"""Symbols, timeframes and the bar frame."""

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA, VALUE_COLUMNS, check_range, empty_bars
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import (
    SYMBOL_PATTERN,
    AssetClass,
    asset_class_of,
    calendar_of,
    parse_symbol,
    require_trackable,
)
from chandlery.market.timeframes import BASE_TIMEFRAMES, CANDLE_TIMEFRAMES, Timeframe, parse_candle_timeframe


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("AAPL", "AAPL"), (" brk.b\n", "BRK.B"), ("x:btcusd", "X:BTCUSD"), ("I:SPX", "I:SPX"), ("a" * 32, "A" * 32)],
)
def test_symbol_is_read_as_users_write_it(text: str, symbol: str) -> None:
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "A APL",
        "AAPL;",
        "A" * 33,
        "AÄPL",
        "A/B",
        "AAPL'--",
        "A\nB",
        "ß",
        "...",
        "-",
        ":",
        "X:",
        "X:-",
        "A:B:C",
        "AAPL:US",
    ],
)
def test_text_that_can_be_no_symbol_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 32 of A-Z"):
        parse_symbol(text)


@given(st.text(max_size=40))
def test_parsed_symbol_parses_to_itself(text: str) -> None:
    try:
        symbol = parse_symbol(text)
    except InvalidInput:
        return
    assert SYMBOL_PATTERN.fullmatch(symbol)
    assert parse_symbol(symbol) == symbol


@pytest.mark.parametrize(
    ("symbol", "asset_class", "calendar"),
    [
        ("AAPL", AssetClass.STOCKS, "NYSE"),
        ("X:BTCUSD", AssetClass.CRYPTO, "24/7"),
        ("C:EURUSD", AssetClass.FOREX, "NYSE"),
        ("I:SPX", AssetClass.INDICES, "NYSE"),
        ("O:SPY251219C00650000", AssetClass.OPTIONS, "NYSE"),
        ("X", AssetClass.STOCKS, "NYSE"),
        ("XOM", AssetClass.STOCKS, "NYSE"),
    ],
)
def test_prefix_of_the_vendor_tells_class_and_calendar(symbol: str, asset_class: AssetClass, calendar: str) -> None:
    assert asset_class_of(symbol) is asset_class
    assert calendar_of(asset_class) == calendar
    assert calendar in ZONES


def test_forex_is_refused_because_no_calendar_is_its() -> None:
    with pytest.raises(InvalidInput, match=r"C:EURUSD, of class forex.*stocks, crypto, indices, options"):
        require_trackable("C:EURUSD")
    tracked = [require_trackable(symbol) for symbol in ("AAPL", "X:BTCUSD", "I:SPX", "O:SPY251219C00650000")]
    assert tracked == [AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.INDICES, AssetClass.OPTIONS]


def test_timeframes_have_the_length_their_name_says() -> None:
    units = {"m": 1, "h": 60}
    named = {tf: int(tf.value[:-1]) * units[tf.value[-1]] for tf in Timeframe if tf.value[-1] in units}
    assert {tf: tf.minutes for tf in Timeframe if tf.minutes is not None} == named
    assert [tf for tf in Timeframe if tf.minutes is None] == [Timeframe.D1, Timeframe.W1]


def test_minutes_and_days_are_fetched_and_seven_candles_are_built() -> None:
    assert [tf.value for tf in BASE_TIMEFRAMES] == ["1m", "1d"]
    assert [tf.value for tf in CANDLE_TIMEFRAMES] == ["5m", "15m", "30m", "1h", "4h", "1d", "1w"]
    assert [parse_candle_timeframe(tf.value) for tf in CANDLE_TIMEFRAMES] == list(CANDLE_TIMEFRAMES)


@pytest.mark.parametrize("text", ["1m", "2h", "1H", "", "1d ", "day"])
def test_timeframe_without_candles_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="5m 15m 30m 1h 4h 1d 1w"):
        parse_candle_timeframe(text)


def test_empty_bars_have_every_column() -> None:
    bars = empty_bars()
    assert bars.is_empty()
    assert bars.schema == pl.Schema(BAR_SCHEMA)
    assert bars.columns == ["ts", *VALUE_COLUMNS]


def test_range_must_go_forward() -> None:
    check_range(date(2024, 1, 1), date(2024, 1, 2))
    for end in (date(2024, 1, 1), date(2023, 12, 31)):
        with pytest.raises(InvalidInput, match=f"Start was 2024-01-01, end was {end}"):
            check_range(date(2024, 1, 1), end)
    with pytest.raises(InvalidInput):
        check_range(datetime.fromisoformat("2024-01-01T10:00Z"), datetime.fromisoformat("2024-01-01T10:00Z"))
