"""The default universe: its size, its members, the facts about their names."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.symbols import AssetClass, asset_class_of, parse_symbol
from chandlery.market.universe import DEFAULT_UNIVERSE, known_instrument

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"
REQUIRED = {
    *("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "TSLA", "META", "NFLX"),
    *("AMD", "INTC", "PYPL", "XYZ", "ROKU", "MSTR", "SOFI"),
}


def test_sixty_three_stocks_and_pairs_with_the_required_ones() -> None:
    symbols = [member.symbol for member in DEFAULT_UNIVERSE]
    assert len(symbols) == len(set(symbols)) == 63
    assert set(symbols) >= REQUIRED
    assert {asset_class_of(symbol) for symbol in symbols} == {AssetClass.STOCKS, AssetClass.CRYPTO}
    assert [parse_symbol(symbol) for symbol in symbols] == symbols


def test_tickers_ascend_and_end_with_the_present_one() -> None:
    for member in DEFAULT_UNIVERSE:
        assert all(before[1] < after[1] for before, after in pairwise(member.tickers)), member
        assert not member.tickers or member.tickers[-1][0] == member.symbol


def test_no_two_members_held_a_ticker_on_one_date() -> None:
    held: dict[str, list[tuple[date, date]]] = {}
    for member in DEFAULT_UNIVERSE:
        for (ticker, start), after in zip(member.tickers, (*member.tickers[1:], ("", date.max)), strict=False):
            held.setdefault(ticker, []).append((start, after[1]))
    for spans in held.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))


@pytest.mark.parametrize(
    ("symbol", "tickers"),
    [
        # The specification's example of ticker events has FB from 2012-05-18 and META from 2022-06-09.
        ("META", (("FB", date(2012, 5, 18)), ("META", date(2022, 6, 9)))),
        ("XYZ", (("SQ", date(2015, 11, 19)), ("XYZ", date(2025, 1, 21)))),
    ],
)
def test_renamed_members_know_their_former_tickers(symbol: str, tickers: tuple[tuple[str, date], ...]) -> None:
    member = known_instrument(symbol)
    assert member is not None
    assert member.tickers == tickers


def test_listing_of_apple_is_the_first_day_of_its_tape() -> None:
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    member = known_instrument("AAPL")
    assert member is not None
    assert member.listed_on == pl.read_parquet(TAPES / "AAPL.parquet")["session"].min()


def test_nothing_is_known_of_a_stranger() -> None:
    assert known_instrument("FB") is None
