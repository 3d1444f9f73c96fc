"""The simulator against hand computation; every case runs on the machine, the ledger and the reference."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from chandlery.backtest import METRICS, Panel, buy_and_hold, evaluate_many, run_backtest
from chandlery.backtest.reference import reference_run
from chandlery.errors import BadParameters, InvalidInput, ResearchError
from chandlery.strategies import Const, Expression, Int, Op, Param, Strategy, get_strategy
from chandlery.strategies.operations import close, eq, sma, volume
from tests.builders.executions import costs

MakePanel = Callable[..., Panel]


def on_close(entry: float, closing: float) -> Strategy:
    """Return the strategy that buys at closes of `entry` and sells at closes of `closing`."""
    return Strategy(
        name="probe",
        version=1,
        family="trend",
        title="Probe",
        doc="A probe.",
        long_entry=eq(close, entry),
        long_exit=eq(close, closing),
    )


def test_fills_costs_and_marks_are_exact_to_the_last_digit(make_panel: MakePanel) -> None:
    # Buy signal on bar 0, filled at 100 on bar 1; sell signal on bar 2, filled at 120 on bar 3.
    panel = make_panel([99, 100, 110, 120, 121], [1, 104, 2, 118, 119])
    fee, slippage = 0.001, 0.0005
    quantity = 1.0 / (100.0 * 1.0005 * 1.001)
    proceeds = quantity * (120.0 * 0.9995) * 0.999
    result = run_backtest(on_close(1, 2), {}, panel, costs(fee, slippage))
    assert result.equity.tolist() == [1.0, quantity * 104.0, quantity * 2.0, proceeds, proceeds]
    assert result.returns.tolist() == [0.0, quantity * 104.0 - 1.0, 2.0 / 104.0 - 1.0, proceeds / (quantity * 2) - 1, 0]
    trade = result.trades.row(0, named=True)
    assert (trade["entry_price"], trade["exit_price"], trade["quantity"]) == (100.05, 120.0 * 0.9995, quantity)
    assert (trade["cost"], trade["profit"], trade["bars"], trade["is_open"]) == (1.0, proceeds - 1.0, 2, False)
    assert result.metrics.equity == proceeds
    # An independent exact computation: 1.2 * 0.9995 * 0.999 / (1.0005 * 1.001).
    exact = (
        Fraction(12, 10) * Fraction(9995, 10000) * Fraction(999, 1000) / (Fraction(10005, 10000) * Fraction(1001, 1000))
    )
    assert proceeds == pytest.approx(float(exact), rel=1e-15)


def test_counts_and_drawdown_by_hand_without_costs(make_panel: MakePanel) -> None:
    # First trade 10 -> 20 doubles, second 20 -> 10 halves; the deepest mark is 5 / 20 of the peak of 2.
    panel = make_panel([9, 10, 15, 20, 20, 20, 10], [1, 15, 2, 1, 5, 2, 9])
    metrics = run_backtest(on_close(1, 2), {}, panel, costs(0.0, 0.0)).metrics
    assert (metrics.closed_trades, metrics.wins, metrics.exposure_bars) == (2, 1, 4)
    assert (metrics.gross_profit, metrics.gross_loss, metrics.equity) == (1.0, 1.0, 1.0)
    # Equity: 1, 1.5, 0.2, 2, 0.5, 0.2, 1 -> 1 - 0.2 / 2
    assert metrics.max_dd == pytest.approx(0.9)


def test_entry_beats_exit_on_the_same_bar(make_panel: MakePanel) -> None:
    panel = make_panel([10, 10, 10, 10], [1, 1, 1, 1])
    result = run_backtest(on_close(1, 1), {}, panel, costs(0.0, 0.0))
    assert result.metrics.closed_trades == 0
    assert result.trades["is_open"].to_list() == [True]


def test_signal_on_the_last_bar_never_fills(make_panel: MakePanel) -> None:
    panel = make_panel([10, 10, 10], [5, 5, 1])
    result = run_backtest(on_close(1, 2), {}, panel, costs(0.1, 0.0))
    assert result.trades.is_empty()
    assert result.equity.tolist() == [1.0, 1.0, 1.0]


def test_open_position_is_marked_without_an_exit_fee(make_panel: MakePanel) -> None:
    panel = make_panel([10, 10, 10], [1, 5, 20])
    result = run_backtest(on_close(1, 2), {}, panel, costs(0.25, 0.0))
    assert result.equity.tolist() == [1.0, 0.4, 1.6]
    assert result.trades.row(0, named=True) == {
        "side": "long",
        "entry_bar": 1,
        "entry_ts": result.trades["entry_ts"][0],
        "entry_price": 10.0,
        "exit_bar": None,
        "exit_ts": None,
        "exit_price": 20.0,
        "exit_reason": None,
        "quantity": 0.08,
        "cost": 1.0,
        "fees": 0.2,
        "profit": pytest.approx(0.6),
        "bars": 2,
        "is_open": True,
    }
    assert (result.metrics.closed_trades, result.metrics.exposure_bars) == (0, 2)


def test_account_can_sell_and_decide_to_buy_again_on_one_bar(make_panel: MakePanel) -> None:
    # Sold at the open of bar 3, whose close signals; bought back at the open of bar 4.
    panel = make_panel([10, 10, 10, 10, 10], [1, 2, 7, 1, 9])
    two = run_backtest(on_close(1, 2), {}, panel, costs(0.0, 0.0))
    assert two.trades["is_open"].to_list() == [False, True]
    assert two.metrics.exposure_bars == 2


def test_no_variance_gives_no_ratio(make_panel: MakePanel) -> None:
    idle = run_backtest(on_close(1, 2), {}, make_panel([10] * 4, [5] * 4), costs(0.0, 0.0)).metrics
    assert math.isnan(idle.bar_sharpe)
    assert (idle.equity, idle.max_dd, idle.exposure_bars) == (1.0, 0.0, 0)


def test_steady_growth_has_no_ratio_rather_than_a_huge_one(make_panel: MakePanel) -> None:
    closes = 100.0 * 1.01 ** np.arange(50)
    panel = make_panel(np.concatenate(([99.0], closes[:-1])), closes)
    held = buy_and_hold(panel.head(3), costs(0.0, 0.0)).metrics
    assert held.equity == pytest.approx(1.01**2)
    always = buy_and_hold(panel, costs(0.0, 0.0)).metrics
    assert math.isnan(always.bar_sharpe)


def test_sharpe_and_drawdown_agree_with_numpy(walk_panel: Panel) -> None:
    result = run_backtest(get_strategy("rsi_revert"), {}, walk_panel, costs(0.001, 0.0005))
    returns = np.diff(result.equity) / result.equity[:-1]
    assert result.metrics.bar_sharpe == pytest.approx(returns.mean() / returns.std(), rel=1e-10)
    peaks = np.maximum.accumulate(np.maximum(result.equity, 1.0))
    assert result.metrics.max_dd == pytest.approx((1.0 - result.equity / peaks).max(), rel=1e-14)


def test_profits_of_the_trades_add_up_to_the_equity(walk_panel: Panel) -> None:
    result = run_backtest(get_strategy("donchian_breakout"), {}, walk_panel, costs(0.001, 0.0005))
    closed = result.trades.filter(~result.trades["is_open"])
    assert 1.0 + result.trades["profit"].sum() == pytest.approx(result.metrics.equity, rel=1e-12)
    assert result.metrics.closed_trades == closed.height > 3
    assert result.metrics.wins == (closed["profit"] > 0).sum()
    assert result.trades["bars"].sum() == result.metrics.exposure_bars


def test_higher_fee_never_raises_equity(walk_panel: Panel) -> None:
    row = [list(get_strategy("rsi_revert").defaults.values())]
    equities = [
        evaluate_many(get_strategy("rsi_revert"), row, walk_panel, costs(fee, 0.0)).metrics[0, 0]
        for fee in (0.0, 0.001, 0.01)
    ]
    assert equities == sorted(equities, reverse=True)


def test_block_moments_sum_to_the_moments_of_all_returns(walk_panel: Panel) -> None:
    strategy = get_strategy("donchian_breakout")
    found = evaluate_many(strategy, [[20, 10]], walk_panel, costs(0.0, 0.0), keep_moments=True)
    returns = run_backtest(strategy, {}, walk_panel, costs(0.0, 0.0)).returns
    assert found.moments is not None
    for power in range(4):
        assert found.moments[0, :, power].sum() == pytest.approx((returns ** (power + 1)).sum(), rel=1e-9)
    blocks = np.arange(returns.size) * 64 // returns.size
    np.testing.assert_allclose(found.moments[0, :, 0], np.bincount(blocks, returns), atol=1e-15)


@pytest.mark.parametrize("bars", [2, 3, 63, 64, 65])
def test_panels_around_the_number_of_blocks_agree_with_the_reference(walk_panel: Panel, bars: int) -> None:
    strategy = on_close(float(walk_panel.field("close")[0]), -1.0)
    panel = walk_panel.head(bars)
    found = evaluate_many(strategy, np.empty((1, 0)), panel, costs(0.001, 0.0), keep_moments=True)
    reference = reference_run(strategy, {}, panel, costs(0.001, 0.0))
    np.testing.assert_array_equal(found.metrics[0], reference.metrics.to_row())
    assert found.moments is not None
    np.testing.assert_array_equal(found.moments[0], reference.moments)


def test_costs_outside_the_unit_interval_are_refused() -> None:
    for fee, slippage in ((-0.1, 0.0), (0.0, 1.0), (math.nan, 0.0)):
        with pytest.raises(InvalidInput, match="fraction of the fill price"):
            costs(fee, slippage)


def test_candidates_of_another_shape_or_outside_the_range_are_refused(walk_panel: Panel) -> None:
    strategy = get_strategy("sma_cross")
    with pytest.raises(BadParameters, match=r"takes \[n, 2\]: fast, slow"):
        evaluate_many(strategy, [[50.0]], walk_panel, costs(0.0, 0.0))
    with pytest.raises(BadParameters, match="Candidate 1"):
        evaluate_many(strategy, [[50, 200], [100, 60]], walk_panel, costs(0.0, 0.0))


def test_panel_shorter_than_the_warmup_is_refused_with_advice(walk_panel: Panel) -> None:
    with pytest.raises(ResearchError, match=r"need 202 .*longer period"):
        run_backtest(get_strategy("sma_cross"), {}, walk_panel.head(201), costs(0.0, 0.0))


def test_candidate_with_too_long_a_warmup_never_trades(walk_panel: Panel) -> None:
    found = evaluate_many(get_strategy("sma_cross"), [[50, 800]], walk_panel.head(300), costs(0.0, 0.0))
    assert found.column("closed_trades").tolist() == [0.0]
    assert found.row(0).equity == 1.0


def test_length_that_computes_to_less_than_a_bar_is_refused(walk_panel: Panel) -> None:
    shrinking: Expression = sma(close, Op("sub", (Param("n"), Const(5))))
    strategy = Strategy(
        name="probe",
        version=1,
        family="trend",
        title="Probe",
        doc="A probe.",
        params={"n": Int(default=10, lo=2, hi=20)},
        long_entry=close > shrinking,
        long_exit=volume < shrinking,
    )
    with pytest.raises(ResearchError, match="came to -3"):
        evaluate_many(strategy, [[10], [2]], walk_panel, costs(0.0, 0.0))


def test_metrics_row_has_the_documented_columns(walk_panel: Panel) -> None:
    metrics = buy_and_hold(walk_panel, costs(0.0, 0.0)).metrics
    assert dict(zip(METRICS, metrics.to_row().tolist(), strict=True))["equity"] == metrics.equity
