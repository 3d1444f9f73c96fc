"""The order simulator: by hand, against the reference bit by bit, and against PyneCore trade by trade."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pytest
from hand_made import HAND_MADE
from machine_equality import assert_machine_equals_reference
from pine_equality import difference
from random_rules import random_bars, random_execution, random_strategy

from chandlery.backtest import Costs, Execution, FeeKind, Mode, Panel, evaluate_many, run_backtest
from chandlery.backtest.reference_money import ten_digits
from chandlery.errors import ResearchError
from chandlery.strategies import (
    Adds,
    Basis,
    Bracket,
    Const,
    Distance,
    EntryOrder,
    OrderKind,
    Sides,
    Strategy,
    Trail,
    get_strategy,
)
from chandlery.strategies.operations import close, eq

BOTH = Execution(sides=Sides.BOTH)
NEVER = close < 0.0


def bars(*rows: tuple[float, float, float, float]) -> Panel:
    """Return a panel of these opens, highs, lows and closes."""
    prices = np.array(rows, dtype=float).T
    stamps = np.arange(len(rows), dtype=np.int64) * 86_400_000_000
    return Panel("TEST", "1d", stamps, np.concatenate([prices, np.ones((1, len(rows)))]))


def probe(**rules: Any) -> Strategy:
    """Return a strategy of these rules that buys at a close of 1 and never sells, unless they say otherwise."""
    chosen: dict[str, Any] = {"long_entry": eq(close, 1.0), "long_exit": NEVER} | rules
    return Strategy(name="probe", version=1, family="trend", title="Probe", doc="A probe.", **chosen)


def at(value: float, basis: Basis) -> Distance:
    """Return a constant distance; of a price one that holds on every bar."""
    return Distance(value=close * 0.0 + value if basis is Basis.PRICE else Const(value), basis=basis)


def exits_of(panel: Panel, bracket: Bracket, execution: Execution = BOTH) -> list[tuple[int, float, str]]:
    """Return bar, price and reason of the exits of a position bought at the open of bar 1."""
    trades = run_backtest(probe(long_bracket=bracket), {}, panel, execution).trades
    return trades.select("exit_bar", "exit_price", "exit_reason").rows()


START = ((100, 100, 1, 1), (100, 101, 99, 100))
"""A close of 1 that decides to buy, and the bar of the fill, which is not protected."""


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ((100, 104, 96, 100), (2, 105.0, "")),
        ((100, 106, 96, 100), (2, 105.0, "limit")),
        ((100, 104, 94, 100), (2, 95.0, "stop")),
        # Both in reach: the extreme nearer to the open comes first.
        ((101, 106, 94, 100), (2, 105.0, "limit")),
        ((99, 106, 94, 100), (2, 95.0, "stop")),
        # Gaps: a stop fills at the open however bad it is, a limit at an open however good.
        ((90, 106, 89, 100), (2, 90.0, "stop")),
        ((110, 111, 94, 100), (2, 110.0, "limit")),
    ],
)
def test_exits_fill_where_the_path_of_the_bar_meets_them(
    bar: tuple[float, float, float, float], expected: tuple[int, float, str]
) -> None:
    bracket = Bracket(stop=at(95.0, Basis.PRICE), limit=at(5.0, Basis.PERCENT))
    found = exits_of(bars(*START, bar, (100, 100, 100, 100)), bracket)
    assert found == ([expected] if expected[2] else [(None, 100.0, None)])


def test_bar_of_the_fill_is_not_protected() -> None:
    panel = bars((100, 100, 1, 1), (100, 101, 50, 100), (100, 101, 99, 100))
    assert exits_of(panel, Bracket(stop=at(90.0, Basis.PRICE))) == [(None, 100.0, None)]


def test_trailing_stop_follows_the_best_price_of_the_path() -> None:
    trail = Trail(offset=at(5.0, Basis.DISTANCE), activation=at(10.0, Basis.DISTANCE))
    # Bar 2 reaches 108: not armed. Bar 3 reaches 112 first, then falls through 112 - 5.
    panel = bars(*START, (100, 108, 99, 104), (110, 112, 104, 106), (106, 106, 106, 106))
    assert exits_of(panel, Bracket(trail=trail)) == [(3, 107.0, "trail")]


def test_position_is_closed_at_the_open_after_so_many_closes() -> None:
    panel = bars(*START, (101, 102, 100, 101), (103, 104, 102, 103), (105, 105, 105, 105))
    assert exits_of(panel, Bracket(max_bars=Const(2))) == [(3, 103.0, "time")]


def test_short_trade_and_reversal_pay_both_fees_by_hand(make_panel: Callable[..., Panel]) -> None:
    both = probe(long_entry=eq(close, 2.0), short_entry=eq(close, 1.0), short_exit=NEVER)
    panel = make_panel([100, 100, 80, 80, 90], [1, 100, 2, 80, 90])
    fee = 0.01
    result = run_backtest(both, {}, panel, Execution(sides=Sides.BOTH, costs=Costs(fee=fee)))
    sold = 1.0 / (100.0 * (1.0 + fee))
    received = sold * 100.0 * (1.0 - fee)
    after = (1.0 + received) - sold * 80.0 * (1.0 + fee)
    bought = after / (80.0 * (1.0 + fee))
    assert result.trades.select("side", "entry_bar", "exit_bar", "exit_reason", "is_open").rows() == [
        ("short", 1, 3, "reversal", False),
        ("long", 3, None, None, True),
    ]
    assert result.trades["quantity"].to_list() == pytest.approx([sold, bought], rel=1e-14)
    assert result.equity.tolist()[-1] == pytest.approx(bought * 90.0, rel=1e-14)
    assert result.exposure.tolist()[0] == 0.0
    assert result.exposure[1] == pytest.approx(-sold * 100.0 / result.equity[1])


def test_further_units_are_bought_as_the_price_rises_and_leave_together() -> None:
    adds = Adds(units=3, distance=at(5.0, Basis.DISTANCE))
    definition = probe(long_exit=eq(close, 112.0), adds=adds, sizing=HAND_MADE["adds"].sizing)
    panel = bars(*START, (100, 106, 99, 104), (104, 111, 104, 110), (110, 113, 109, 112), (111, 116, 110, 111))
    rows = run_backtest(definition, {}, panel, BOTH).trades.select("entry_bar", "entry_price", "exit_price").rows()
    assert rows == [(1, 100.0, 111.0), (2, 105.0, 111.0), (3, 110.0, 111.0)]


@pytest.mark.parametrize("definition", HAND_MADE.values(), ids=list(HAND_MADE))
def test_every_rule_equals_the_reference_bit_by_bit(definition: Strategy) -> None:
    panel = random_bars(3, 300)
    for mode in Mode:
        for seed in (0, 4):
            assert_machine_equals_reference(definition, definition.defaults, panel, random_execution(seed, mode))


def test_random_rules_equal_the_reference_bit_by_bit() -> None:
    trades = 0
    for seed in range(60):
        definition = random_strategy(seed)
        for mode in Mode:
            execution = random_execution(seed, mode)
            trades += assert_machine_equals_reference(
                definition, definition.defaults, random_bars(seed, 150), execution
            )
    assert trades > 2_000


@pytest.mark.untraced  # the time goes into PyneCore
def test_random_rules_trade_as_in_pynecore() -> None:
    for seed in range(60):
        panel, execution = random_bars(seed, 150), random_execution(seed, Mode.PINE)
        assert difference(random_strategy(seed), {}, panel, execution) == "", seed


@pytest.mark.parametrize("name", ["sma_cross", "rsi_revert", "donchian_breakout"])
def test_both_simulators_agree_on_a_plain_strategy_to_the_last_digit(walk_panel: Panel, name: str) -> None:
    execution = Execution(costs=Costs(fee=0.001, slippage=0.0003, spread=0.0004))
    plain = get_strategy(name)
    searched = evaluate_many(plain, [list(plain.defaults.values())], walk_panel, execution).metrics[0]
    run = run_backtest(plain, {}, walk_panel, execution)
    np.testing.assert_array_equal(run.metrics.to_row(), searched)
    assert run.equity[-1] == searched[0]


def test_result_of_orders_does_not_depend_on_threads_or_batching(walk_panel: Panel) -> None:
    definition, execution = HAND_MADE["frozen_atr"], Execution(sides=Sides.BOTH, costs=Costs(fee=0.001))
    rows = np.arange(3, 40, dtype=float)[:, None]
    whole = evaluate_many(definition, rows, walk_panel, execution, keep_moments=True, threads=1)
    halves = evaluate_many(definition, rows, walk_panel, execution, keep_moments=True, threads=2)
    single = [evaluate_many(definition, row[None], walk_panel, execution).metrics[0] for row in rows]
    np.testing.assert_array_equal(whole.metrics, halves.metrics)
    np.testing.assert_array_equal(whole.moments, halves.moments)
    np.testing.assert_array_equal(whole.metrics, np.array(single))


def test_ruined_account_trades_no_more(make_panel: Callable[..., Panel]) -> None:
    always_short = probe(long_entry=NEVER, short_entry=close > 0.0, short_exit=close > 250.0)
    panel = make_panel([100, 100, 300, 300, 300], [100, 100, 300, 300, 300])
    result = run_backtest(always_short, {}, panel, BOTH)
    assert result.equity.tolist() == [1.0, 1.0, -1.0, -1.0, -1.0]
    assert result.returns.tolist() == [0.0, 0.0, -2.0, 0.0, 0.0]
    assert result.trades.height == 1


def test_further_units_beside_a_trail_are_refused_in_pine_mode() -> None:
    bracket = Bracket(trail=Trail(offset=at(1.0, Basis.DISTANCE)))
    definition = replace(HAND_MADE["adds"], long_bracket=bracket)
    with pytest.raises(ResearchError, match="every unit trails on its own"):
        run_backtest(definition, {}, random_bars(1, 100), Execution(mode=Mode.PINE))
    assert run_backtest(definition, {}, random_bars(1, 100), BOTH).equity.size == 100


def test_more_units_than_there_is_room_for_are_refused() -> None:
    adds = Adds(units=50, distance=at(1.0, Basis.DISTANCE))
    definition = replace(HAND_MADE["adds"], adds=adds)
    with pytest.raises(ResearchError, match="adds up to 50 units; at most 18 fit"):
        run_backtest(definition, {}, random_bars(1, 100), BOTH)


@pytest.mark.parametrize("kind", list(FeeKind))
def test_money_of_pine_mode_adds_up(kind: FeeKind) -> None:
    costs = Costs(fee=0.001 if kind is FeeKind.PERCENT else 2.0, fee_kind=kind, slippage_ticks=1)
    execution = Execution(mode=Mode.PINE, sides=Sides.BOTH, costs=costs, capital=50_000.0, lot=0.01, point_value=2.0)
    result = run_backtest(HAND_MADE["percent_bracket"], {}, random_bars(7, 400), execution)
    assert result.trades.height > 20
    assert 50_000.0 + result.trades["profit"].sum() == pytest.approx(result.equity[-1], rel=1e-9)


def test_ten_digits_are_those_of_decimal_arithmetic() -> None:
    random = np.random.default_rng(5)
    for money in (10.0 ** random.uniform(-6, 14, 2_000)).tolist():
        exact = Decimal(money)
        expected = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 9), rounding=ROUND_HALF_UP)
        assert ten_digits(money) == pytest.approx(float(expected), rel=3e-16), money


def test_entry_order_waits_until_it_fills_or_is_cancelled() -> None:
    order = EntryOrder(kind=OrderKind.STOP, level=close * 0.0 + 105.0, cancel=eq(close, 2.0))
    rows = [(100, 100, 1, 1), (100, 101, 99, 100), (100, 101, 2, 2), (100, 110, 99, 100), (100, 110, 99, 100)]
    waiting = probe(long_order=replace(order, cancel=None))
    cancelled = probe(long_order=order)
    entries = run_backtest(waiting, {}, bars(*rows), BOTH).trades.select("entry_bar", "entry_price").rows()
    assert entries == [(3, 105.0)]
    assert run_backtest(cancelled, {}, bars(*rows), BOTH).trades.is_empty()


def test_machine_code_is_kept_for_the_next_process() -> None:
    # The first call of this process has filled the cache that a second one reads.
    code = (
        "from chandlery.backtest.warm import warm; warm('plain'); warm('orders'); "
        "from chandlery.backtest import order_vm, vm; "
        "kept = [entry.stats for entry in (vm.run_program, order_vm.run_orders)]; "
        "assert all(stats.cache_hits and not stats.cache_misses for stats in kept), kept"
    )
    run_backtest(HAND_MADE["market"], {}, random_bars(1, 100), BOTH)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
