import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.measures import Status
from chandlery.risk.book import Book, value_book
from chandlery.risk.components import component_es
from chandlery.risk.history import History, hypothetical_history
from chandlery.risk.models import VAR_MODELS

NAN = float("nan")


def book(quantities: list[float], prices: list[float], cash: float = 0.0) -> Book:
    symbols = tuple(f"S{place}" for place in range(len(quantities)))
    return value_book(symbols, quantities=np.array(quantities), prices=np.array(prices), cash=cash)


def history(quantities: list[float], prices: list[list[float]], *, cash: float = 0.0, recent: int = 1000) -> History:
    panel = np.array(prices, dtype=float)
    days = np.datetime64("2024-01-01") + np.arange(len(panel))
    return hypothetical_history(book(quantities, panel[-1].tolist(), cash), prices=panel, sessions=days, recent=recent)


def test_a_long_short_book_has_the_figures_worked_out_on_paper() -> None:
    answer = book([10.0, -5.0], [100.0, 60.0], cash=300.0)
    assert answer.nav.value == 1000.0
    assert (answer.gross.value, answer.net.value) == (1300.0, 700.0)
    assert (answer.leverage.value, answer.concentration.value, answer.position_value.value) == (1.3, 1.0, 1000.0)
    np.testing.assert_allclose(answer.weights, [1.0, -0.3])


def test_one_missing_price_makes_every_sum_missing_input() -> None:
    answer = book([10.0, 5.0], [100.0, NAN], cash=300.0)
    for item in (answer.nav, answer.gross, answer.net, answer.leverage, answer.concentration, answer.position_value):
        assert (item.value, item.status, item.n) == (None, Status.MISSING_INPUT, 1)
    assert np.isnan(answer.weights).all()


def test_a_position_of_zero_needs_no_price() -> None:
    assert book([10.0, 0.0], [100.0, NAN]).nav.value == 1000.0


def test_a_book_in_debt_beyond_its_worth_has_no_leverage() -> None:
    answer = book([10.0], [100.0], cash=-1000.0)
    assert answer.nav.value == 0.0
    assert answer.leverage.status == answer.concentration.status == Status.INFEASIBLE
    assert np.isnan(answer.weights).all()


@pytest.mark.parametrize(
    ("quantities", "prices", "cash"),
    [([1.0], [0.0], 0.0), ([1.0], [-3.0], 0.0), ([NAN], [1.0], 0.0), ([1.0], [1.0], NAN), ([1.0], [np.inf], 0.0)],
)
def test_amounts_that_cannot_be_are_refused(quantities: list[float], prices: list[float], cash: float) -> None:
    with pytest.raises(InvalidInput):
        book(quantities, prices, cash)


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one entry per symbol"):
        value_book(("A", "B"), quantities=np.ones(1), prices=np.ones(2), cash=0.0)
    with pytest.raises(InvalidInput, match="sessions"):
        hypothetical_history(book([1.0], [1.0]), prices=np.ones((3, 2)), sessions=np.arange(3), recent=3)


def test_history_weighs_past_returns_by_todays_weights_and_starts_at_the_second_price() -> None:
    answer = history([6.0, 2.0], [[50.0, 100.0], [100.0, 50.0], [50.0, 100.0]], cash=500.0)
    # Today: 300 and 200 of NAV 1,000, so weights .3 and .2; returns (+1, -.5) and (-.5, +1).
    np.testing.assert_allclose(answer.returns, [0.3 - 0.1, -0.15 + 0.2])
    np.testing.assert_allclose(answer.contributions, [[0.3, -0.1], [-0.15, 0.2]])
    assert [str(day) for day in answer.sessions] == ["2024-01-02", "2024-01-03"]
    assert (answer.coverage, answer.dropped_days, answer.proxied_days, answer.is_proxied) == (1.0, 0, 0, False)


def test_a_gap_drops_two_days_and_is_never_filled() -> None:
    prices = [[100.0 + i, 50.0] for i in range(60)]
    prices[30][0] = NAN
    answer = history([1.0, 1.0], prices)
    assert answer.dropped_days == 2
    assert answer.returns.size == 57
    assert not {"2024-01-31", "2024-02-01"} & {str(day) for day in answer.sessions}


def test_days_before_an_asset_was_listed_are_no_gaps() -> None:
    prices = [[100.0 + i, 50.0 if i >= 20 else NAN] for i in range(60)]
    answer = history([1.0, 1.0], prices, recent=30)
    assert (answer.returns.size, answer.dropped_days, answer.excluded) == (39, 0, ())


def test_an_asset_lacking_more_than_five_percent_is_excluded_and_moves_like_the_rest() -> None:
    prices = [[100.0 * 1.01**i, 50.0] for i in range(100)]
    for gap in range(10, 16):
        prices[gap][1] = NAN
    last = 100.0 * 1.01**99
    answer = history([50.0 / last, 1.0], prices)
    assert answer.excluded == ("S1",)
    assert answer.is_proxied
    assert answer.coverage == pytest.approx(0.5)
    np.testing.assert_allclose(answer.returns, 0.01)


def test_exactly_five_percent_missing_keeps_the_asset() -> None:
    prices = [[100.0, 50.0] for _ in range(100)]
    for gap in range(10, 15):
        prices[gap][1] = NAN
    assert history([1.0, 1.0], prices).excluded == ()


def test_less_than_half_covered_is_no_history() -> None:
    prices = [[100.0, 50.0 if i > 50 else NAN] for i in range(100)]
    answer = history([1.0, 3.0], prices)
    assert answer.returns.size == 0
    assert answer.coverage == pytest.approx(0.4)


def test_a_small_gap_on_a_day_is_proxied_by_the_rest() -> None:
    prices = [[100.0 * 1.01**i, 10.0] for i in range(60)]
    prices[30][1] = NAN
    last = 100.0 * 1.01**59
    answer = history([990.0 / last, 1.0], prices)  # S1 is 1 % of gross
    assert (answer.dropped_days, answer.proxied_days, answer.is_proxied) == (0, 2, True)
    np.testing.assert_allclose(answer.returns[29:31], 0.01)
    np.testing.assert_allclose(answer.contributions.sum(axis=1), answer.returns)


def test_a_book_without_nav_or_positions_has_no_history() -> None:
    assert history([1.0, 1.0], [[1.0, 1.0], [1.0, NAN]]).returns.size == 0
    assert history([0.0, 0.0], [[1.0, 1.0], [1.0, 2.0]], cash=10.0).returns.size == 0
    assert history([1.0], [[1.0]]).returns.size == 0


@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
@settings(max_examples=30, deadline=None)
def test_a_book_twice_as_large_has_the_same_returns_and_order_of_assets_does_not_matter(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(random.normal(0, 0.02, (80, 4)), axis=0))
    quantities = random.uniform(-5, 20, 4)
    days = np.datetime64("2024-01-01") + np.arange(80)
    order = random.permutation(4)

    def returns(q: np.ndarray, p: np.ndarray, cash: float) -> np.ndarray:
        valued = value_book(("A", "B", "C", "D"), quantities=q, prices=p[-1], cash=cash)
        return hypothetical_history(valued, prices=p, sessions=days, recent=80).returns

    plain = returns(quantities, prices, 5000.0)
    np.testing.assert_allclose(returns(quantities * size, prices, 5000.0 * size), plain, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(returns(quantities[order], prices[:, order], 5000.0), plain, rtol=1e-9, atol=1e-13)


def test_components_of_es_sum_to_the_historical_es() -> None:
    random = np.random.default_rng(5)
    contributions = random.normal(0, 0.01, (500, 6))
    returns = contributions.sum(axis=1)
    parts = component_es(contributions, returns=returns, level=0.975)
    assert parts.sum() == pytest.approx(VAR_MODELS["hs"](returns, level=0.975).es.value, rel=1e-12)
    worst = sorted(range(500), key=lambda day: returns[day])[:13]
    assert parts[2] == pytest.approx(-sum(contributions[day, 2] for day in worst) / 13, rel=1e-12)


def test_ties_of_the_worst_days_go_to_the_earlier_one() -> None:
    contributions = np.array([[-1.0, 0.0], [0.0, -1.0], [0.5, 0.5], [0.5, 0.5]])
    parts = component_es(contributions, returns=contributions.sum(axis=1), level=0.75)
    np.testing.assert_array_equal(parts, [1.0, 0.0])
