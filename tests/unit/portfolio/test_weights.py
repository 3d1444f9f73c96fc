import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.portfolio import Position, equal_weight_book


def test_capital_is_split_into_whole_shares_and_the_rest_is_cash() -> None:
    book = equal_weight_book({"B": 300.0, "A": 40.0}, capital=1000.0)
    assert book.positions == (Position("A", 12.0), Position("B", 1.0))  # 480 and 300 of 500 each
    assert book.cash == pytest.approx(220.0)
    assert (book.currency, book.name) == ("USD", "Equal weight")


def test_a_symbol_without_price_takes_no_part() -> None:
    book = equal_weight_book({"A": 10.0, "B": None}, capital=100.0)
    assert book.positions == (Position("A", 10.0),)
    assert book.cash == 0.0


def test_a_share_dearer_than_its_part_leaves_that_part_in_cash() -> None:
    book = equal_weight_book({"A": 10.0, "DEAR": 600_000.0}, capital=1000.0)
    assert book.positions == (Position("A", 50.0),)
    assert book.cash == 500.0


@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(0.01, 5000), min_size=1))
def test_value_and_cash_add_up_to_the_capital_and_no_position_exceeds_its_part(prices: dict[str, float]) -> None:
    book = equal_weight_book(prices)
    values = [position.quantity * prices[position.symbol] for position in book.positions]
    assert math.fsum(values) + book.cash == pytest.approx(100_000.0, rel=1e-12)
    assert max(values) <= 100_000.0 / len(prices) * (1 + 1e-12)
    assert book.cash >= -1e-9
    assert equal_weight_book(dict(reversed(prices.items()))) == book


@pytest.mark.parametrize(
    ("prices", "capital", "word"),
    [
        ({}, 100.0, "none has a price"),
        ({"A": None}, 100.0, "none has a price"),
        ({"A": 0.0}, 100.0, "not positive"),
        ({"A": math.nan}, 100.0, "not positive"),
        ({"A": 200.0}, 100.0, "buys no share"),
        ({"A": 1.0}, 0.0, "Capital"),
        ({"A": 1.0}, math.inf, "Capital"),
    ],
)
def test_what_cannot_be_bought_is_refused(prices: dict[str, float | None], capital: float, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        equal_weight_book(prices, capital=capital)
