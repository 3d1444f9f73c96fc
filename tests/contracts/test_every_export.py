"""Contract of the export: for every strategy the text is sound, and PyneCore makes our trades from it.

The longer sweep, with random parameters and with pynescript as the grammar, is `python benchmarks/equivalence.py`.
"""

import re
from functools import cache

import pytest
from hand_made import HAND_MADE
from pine_equality import difference, our_trades
from pine_parser import parse_pine
from tape_panels import TAPES, daily, hourly, minutes

from chandlery.backtest import Costs, Execution, Mode, Panel
from chandlery.reports.pine import to_pine
from chandlery.strategies import Sides, Strategy, all_strategies

EXECUTION = Execution(
    mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.0005, slippage_ticks=1), capital=100_000.0, lot=0.01
)
SETTINGS = frozenset(
    [
        "title", "shorttitle", "overlay", "format", "pyramiding", "calc_on_order_fills", "calc_on_every_tick",
        "max_bars_back", "backtest_fill_limits_assumption", "default_qty_type", "default_qty_value",
        "initial_capital", "currency", "slippage", "commission_type", "commission_value",
        "process_orders_on_close", "close_entries_rule", "margin_long", "margin_short", "calc_bars_count",
        "risk_free_rate", "use_bar_magnifier", "fill_orders_on_standard_ohlc", "dynamic_requests", "behind_chart",
    ]
)  # fmt: skip

every_strategy = pytest.mark.parametrize("strategy", all_strategies().values(), ids=list(all_strategies()))
on_real_bars = pytest.mark.skipif(not TAPES.is_dir(), reason="the shared tapes are not beside the repository")


@cache
def real_panels() -> tuple[Panel, ...]:
    """Return days, hours and minutes in which the library trades."""
    return daily("AAPL", 6000, 700), hourly(200, 400), minutes("AAPL", 0, 800)


@every_strategy
def test_text_is_deterministic_and_spells_out_every_setting(strategy: Strategy) -> None:
    text = to_pine(strategy, {}, EXECUTION, panel_id="0" * 64)
    assert text == to_pine(strategy, {}, EXECUTION, panel_id="0" * 64)
    parse_pine(text)
    head = text[text.index("strategy(") : text.index(")\n\n")]
    assert set(re.findall(r"^ {5}(\w+) = ", head, re.MULTILINE)) == SETTINGS
    assert not re.search(r"\bwhen\s*=", text)
    assert all(len(line) < 1_000 for line in text.splitlines())


@on_real_bars
@every_strategy
def test_trades_of_the_exported_text_are_ours(strategy: Strategy) -> None:
    traded = 0
    for panel in real_panels():
        assert difference(strategy, {}, panel, EXECUTION) == "", panel.timeframe
        traded += len(our_trades(strategy, {}, panel, EXECUTION))
    assert traded


@on_real_bars
@pytest.mark.parametrize("strategy", HAND_MADE.values(), ids=list(HAND_MADE))
def test_every_rule_about_the_position_is_carried_out_alike(strategy: Strategy) -> None:
    # Not on minutes: their closes lie exactly on an average of ten now and then, and which side of it the last
    # digit falls on differs between two exact ways to sum.
    for panel in real_panels()[:2]:
        assert difference(strategy, {}, panel, EXECUTION) == "", panel.timeframe
