"""The account that trades to target weights: cases by hand, and two independent witnesses on real prices."""

import numpy as np
import polars as pl
import pytest
from multi_panels import plain_panel, tape_panel
from numpy.typing import NDArray

from chandlery.backtest import MultiPanel, PortfolioResult, evaluate_portfolios, run_backtest, run_portfolio
from chandlery.backtest.execution import Costs, Execution
from chandlery.backtest.rotation_engine import numbers_of
from chandlery.backtest.symbol_values import SymbolValues
from chandlery.errors import InvalidInput
from chandlery.strategies import Const, Expression, Pair, Rotation, Strategy, Top, TopKind, get_portfolio
from chandlery.strategies.operations import close, dayofmonth, eq, leg, month, ols_slope, ols_zscore

FREE = Execution()
NAN = float("nan")
FIRST_DAY = eq(dayofmonth, 1)


def rotation(rebalance: Expression = FIRST_DAY, **more: object) -> Rotation:
    fields: dict[str, object] = {
        "name": "probe",
        "version": 1,
        "family": "multi_asset",
        "title": "Probe",
        "doc": "A probe.",
        "rebalance": rebalance,
    }
    return Rotation(**(fields | more))  # type: ignore[arg-type]


def pair(**more: object) -> Pair:
    fields: dict[str, object] = {
        "name": "probe",
        "version": 1,
        "family": "multi_asset",
        "title": "Probe",
        "doc": "A probe.",
        "hedge": leg(close, 0) * 0 + 2,
        "long_entry": eq(leg(close, 0), 30),
        "long_exit": leg(close, 0) > 32,
    }
    return Pair(**(fields | more))  # type: ignore[arg-type]


def run(portfolio: Rotation | Pair, panel: MultiPanel, execution: Execution = FREE) -> PortfolioResult:
    return run_portfolio(portfolio, {}, panel, execution)


def fills(result: PortfolioResult) -> list[tuple[int, str, float, float, float]]:
    day = pl.col("ts").dt.epoch("d")
    return result.fills.select(day, "symbol", "quantity", "price", "money").rows()


def test_weights_decided_at_the_close_are_bought_at_the_next_open_with_costs_inside_the_money() -> None:
    panel = plain_panel([[9, 10, 12], [9, 20, 19]], [[9, 11, 12], [9, 19, 18]])
    execution = Execution(costs=Costs(fee=0.01, slippage=0.1))
    result = run(rotation(), panel, execution)
    first, second = 0.5 / (10 * 1.1 * 1.01), 0.5 / (20 * 1.1 * 1.01)
    assert fills(result) == [
        (1, "A", pytest.approx(first), pytest.approx(11.0), -0.5),
        (1, "B", pytest.approx(second), pytest.approx(22.0), -0.5),
    ]
    np.testing.assert_allclose(result.equity, [1.0, 11 * first + 19 * second, 12 * first + 18 * second])
    np.testing.assert_allclose(result.exposure, [0.0, 1.0, 1.0])
    np.testing.assert_allclose(result.turnover, [0.0, 1.0, 0.0])
    assert (result.metrics.closed_trades, result.metrics.exposure_bars) == (0, 2)


def test_rebalancing_sells_first_and_purchases_share_the_cash_there_is() -> None:
    # Bought at 10 and 10; A doubles, and on the third day half of everything is wanted in each again.
    panel = plain_panel([[10, 10, 20, 20], [10, 10, 10, 10]], [[10, 20, 20, 20], [10, 10, 10, 10]])
    execution = Execution(costs=Costs(fee=0.1))
    result = run(rotation(FIRST_DAY | eq(dayofmonth, 3)), panel, execution)
    each = 0.05 / 1.1
    value = np.array([20 * each * 1.0, 10 * each]) * 1.0
    worth = 10 * 2 * each + 10 * each * 1.0
    assert value.sum() == pytest.approx(worth)
    sold = value[0] - worth / 2
    raised = sold * 0.9
    assert fills(result)[2:] == [
        (3, "A", pytest.approx(-sold / 20), 20.0, pytest.approx(raised)),
        (3, "B", pytest.approx(raised / 11), 10.0, pytest.approx(-raised)),
    ]
    assert result.turnover[3] == pytest.approx((sold + raised) / worth)
    assert result.equity[3] == pytest.approx(worth - sold + raised / 1.1)


def test_a_selected_symbol_that_fails_the_filter_leaves_its_share_in_cash() -> None:
    panel = plain_panel([[10, 10, 10], [10, 10, 10], [10, 10, 10]], [[10, 10, 10], [12, 12, 12], [11, 11, 11]])
    ranked = rotation(score=close, top=Top(TopKind.COUNT, Const(2)), keep=close < 12)
    assert run(ranked, panel).weights["weight"].to_list() == [0.0, 0.0, 0.5]


def test_top_share_is_rounded_up_and_equal_scores_go_in_the_order_of_the_panel() -> None:
    panel = plain_panel([[10, 10]] * 5, [[10, 10]] * 5)
    held = run(rotation(score=close, top=Top(TopKind.SHARE, Const(0.2))), panel).weights["weight"].to_list()
    assert held == [1.0, 0.0, 0.0, 0.0, 0.0]
    held = run(rotation(score=close, top=Top(TopKind.SHARE, Const(0.21))), panel).weights["weight"].to_list()
    assert held == [0.5, 0.5, 0.0, 0.0, 0.0]


def test_weights_are_in_proportion_to_the_inverse_of_risk_and_zero_risk_is_no_rank() -> None:
    panel = plain_panel([[1, 1], [4, 4], [5, 5]], [[1, 1], [4, 4], [5, 5]])
    held = run(rotation(risk=close), panel).weights["weight"].to_list()
    np.testing.assert_allclose(held, np.array([1.0, 0.25, 0.2]) / 1.45)
    held = run(rotation(risk=close - 1), panel).weights["weight"].to_list()
    np.testing.assert_allclose(held, [0.0, 4 / 7, 3 / 7])


def test_a_symbol_without_a_bar_is_traded_at_its_next_open_at_the_weight_of_equity_then() -> None:
    panel = plain_panel([[10, 10, 20, 20], [5, NAN, 8, 8]], [[10, 20, 20, 20], [5, NAN, 8, 10]])
    result = run(rotation(), panel)
    # A: half of 1.0 at 10, which doubles; B: half of the 1.5 that is there on day 2, but 0.5 of cash is left.
    assert fills(result) == [(1, "A", 0.05, 10.0, -0.5), (2, "B", 0.0625, 8.0, -0.5)]
    np.testing.assert_allclose(result.equity, [1.0, 1.5, 1.5, 1.625])


def test_a_symbol_without_a_bar_on_the_day_of_decision_is_not_ranked() -> None:
    panel = plain_panel([[NAN, 10, 10], [5, 5, 5]], [[NAN, 10, 10], [5, 5, 5]])
    assert run(rotation(), panel).weights["weight"].to_list() == [0.0, 1.0]


def test_what_has_ceased_to_trade_is_marked_at_its_last_close_and_never_sold() -> None:
    panel = plain_panel([[10, 10, 10, 10, 10], [10, 10, 10, NAN, NAN]], [[10, 10, 10, 10, 10], [10, 10, 15, NAN, NAN]])
    result = run(rotation(FIRST_DAY | eq(dayofmonth, 4)), panel)
    np.testing.assert_allclose(result.equity, [1.0, 1.0, 1.25, 1.25, 1.25])
    assert [fill[:2] for fill in fills(result)] == [(1, "A"), (1, "B")]


def test_one_symbol_held_all_the_time_is_buy_and_hold_of_the_single_symbol_engine() -> None:
    rng = np.random.default_rng(3)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (2, 200)), axis=1)) * np.array([[10.0], [1.0]])
    opens = closes * np.exp(rng.normal(0, 0.01, closes.shape))
    panel, execution = plain_panel(opens, closes), Execution(costs=Costs(fee=0.003, slippage=0.002))
    result = run(rotation(score=close, top=Top(TopKind.COUNT, Const(1))), panel, execution)
    held = Strategy(
        name="hold",
        version=1,
        family="trend",
        title="Hold",
        doc="Held.",
        long_entry=eq(dayofmonth, 1) & eq(month, 1) & (close > 0),
        long_exit=close < 0,
    )
    single = run_backtest(held, {}, panel.panel(0), execution)
    np.testing.assert_array_equal(result.equity, single.equity)
    assert result.metrics.bar_sharpe == pytest.approx(single.metrics.bar_sharpe, rel=1e-12)
    assert result.metrics.max_dd == pytest.approx(single.metrics.max_dd, rel=1e-12)


def test_pair_is_long_one_leg_and_short_the_hedge_in_the_other_with_gross_one() -> None:
    panel = plain_panel([[30, 30, 33, 36], [10, 10, 9, 8]], [[30, 33, 35, 36], [10, 9, 8, 8]])
    result = run(pair(), panel)
    # Spread of 30 against 2 x 10: money 0.6 long, 0.4 short.
    assert [fill[:4] for fill in fills(result)] == [
        (1, "B", pytest.approx(-0.04), 10.0),
        (1, "A", pytest.approx(0.02), 30.0),
        (2, "A", pytest.approx(-0.02), 33.0),
        (2, "B", pytest.approx(0.04), 9.0),
    ]
    np.testing.assert_allclose(result.equity, [1.0, 1.1, 1.1, 1.1])
    assert result.exposure[1] == pytest.approx((0.02 * 33 + 0.04 * 9) / 1.1)
    assert (result.metrics.closed_trades, result.metrics.wins) == (2, 2)
    assert result.metrics.gross_profit == pytest.approx(0.1)


def test_an_entry_against_the_position_reverses_both_legs_in_one_open() -> None:
    panel = plain_panel([[30, 30, 30, 30], [10, 10, 10, 10]], [[30, 31, 30, 30], [10, 10, 10, 10]])
    both = pair(long_exit=leg(close, 0) < 0, short_entry=eq(leg(close, 0), 31), short_exit=leg(close, 0) < 0)
    result = run(both, panel)
    weights = result.weights["weight"].to_list()
    np.testing.assert_allclose(weights, [0.6, -0.4, -31 / 51, 20 / 51, 0.6, -0.4])
    assert result.metrics.closed_trades == 4
    np.testing.assert_allclose(result.turnover, [0.0, 1.0, 2.0, 2.0])


def test_entries_on_both_sides_of_one_bar_cancel_and_none_is_made_without_a_hedge() -> None:
    panel = plain_panel([[30, 30, 30], [10, 10, 10]], [[30, 30, 30], [10, 10, 10]])
    both = pair(short_entry=eq(leg(close, 0), 30), short_exit=leg(close, 0) < 0)
    assert run(both, panel).fills.is_empty()
    assert run(pair(hedge=leg(close, 0) / (leg(close, 1) - 10)), panel).fills.is_empty()


def test_an_account_that_is_worth_nothing_is_closed_at_zero() -> None:
    panel = plain_panel([[30, 30, 30, 30], [10, 10, 10, 10]], [[30, 30, 30, 30], [10, 90, 10, 10]])
    result = run(pair(), panel)
    np.testing.assert_array_equal(result.equity, [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(result.returns, [0.0, -1.0, 0.0, 0.0])
    assert (result.metrics.max_dd, len(fills(result))) == (1.0, 2)


def test_a_leg_the_panel_does_not_have_is_refused() -> None:
    panel = plain_panel([[1, 1], [1, 1]], [[1, 1], [1, 1]])
    with pytest.raises(InvalidInput, match="takes 3 symbols, the panel has 2"):
        run(rotation(keep=leg(close, 2) > 1), panel)


@pytest.mark.parametrize("name", ["xs_momentum", "dual_momentum", "faber_gtaa", "inverse_vol"])
def test_equity_on_real_prices_equals_vectors_of_quantities(name: str) -> None:
    panel, costs = tape_panel("AAPL", "BA", "GE"), (0.002, 0.001)
    result = run_portfolio(get_portfolio(name), {}, panel, Execution(costs=Costs(fee=costs[0], slippage=costs[1])))
    np.testing.assert_allclose(result.equity, witness(panel, result.weights, *costs), rtol=1e-10)


def witness(panel: MultiPanel, targets: pl.DataFrame, fee: float, slippage: float) -> NDArray[np.float64]:
    """Return equity of a long account on bars without gaps: one vector step per decision, one product between."""
    opens, closes = panel.field("open"), panel.field("close")
    days = np.searchsorted(panel.ts, targets["ts"].to_physical().unique(maintain_order=True).to_numpy())
    weights = targets["weight"].to_numpy().reshape(days.size, -1)
    cash, quantity, equity = 1.0, np.zeros(opens.shape[0]), np.ones(panel.bars)
    for row, day in enumerate(days[days + 1 < panel.bars]):
        price = opens[:, day + 1]
        step = weights[row] * (cash + quantity @ price) - quantity * price
        sold, bought = np.clip(-step, 0.0, None), np.clip(step, 0.0, None)
        cash += sold.sum() * (1 - slippage) * (1 - fee)
        bought *= min(1.0, cash / bought.sum()) if bought.sum() > 1e-12 else 0.0
        cash -= bought.sum()
        quantity = quantity - sold / price + bought / price / (1 + slippage) / (1 + fee)
        equity[day + 1 :] = cash + quantity @ closes[:, day + 1 :]
    return equity


def test_zscore_and_slope_on_real_prices_equal_polyfit() -> None:
    panel, length = tape_panel("BA", "GE"), 252
    first, second = leg(close, 0), leg(close, 1)
    wanted = {"slope": ols_slope(first, second, length), "zscore": ols_zscore(first, second, length)}
    values = SymbolValues(panel, wanted)
    slopes, scores = values.of_clock("slope", {}), values.of_clock("zscore", {})
    assert np.isnan(scores[: length - 1]).all()
    y, x = panel.field("close")
    for end in range(length, panel.bars, 97):
        window = slice(end - length, end)
        slope, level = np.polyfit(x[window], y[window], 1)
        residuals = y[window] - level - slope * x[window]
        assert slopes[end - 1] == pytest.approx(slope, rel=1e-8)
        assert scores[end - 1] == pytest.approx(residuals[-1] / residuals.std(), rel=1e-7, abs=1e-8)


def test_many_candidates_equal_single_runs() -> None:
    panel, portfolio = tape_panel("AAPL", "BA", "EBAY", "GE"), get_portfolio("xs_momentum")
    rows = np.array([[look, 21.0, share] for look in (63.0, 126.0, 252.0) for share in (0.2, 0.5)])
    found = evaluate_portfolios(portfolio, rows, panel, FREE)
    for index, row in enumerate(rows):
        single = run_portfolio(portfolio, numbers_of(portfolio, row), panel, FREE)
        np.testing.assert_array_equal(found.metrics[index], single.metrics.to_row())
        assert single.equity[-1] == single.metrics.equity
