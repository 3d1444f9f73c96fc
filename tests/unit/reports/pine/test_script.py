"""The script as a whole: what its head says, which settings it spells out, what it refuses."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hand_made import HAND_MADE
from pine_parser import parse_pine
from pynescript.ast import dump, parse

from chandlery.backtest.execution import Costs, Execution, FeeKind, Mode
from chandlery.errors import BadParameters, InvalidInput, NotExportable
from chandlery.reports.pine import to_pine
from chandlery.strategies import Sides, Strategy, definition_hash, get_strategy
from chandlery.strategies.operations import close, ema, high, low, open_
from chandlery.strategies.operations.build import op

PINE = Execution(mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.0007, slippage_ticks=2), capital=50_000.0)


def arguments(text: str) -> dict[str, str]:
    """Return the arguments of `strategy()` as they are written."""
    head = text[text.index("strategy(") : text.index(")\n\n")]
    return dict(re.findall(r"^ {5}(\w+) = (.*?),?$", head, re.MULTILINE))


def test_equal_inputs_give_equal_text() -> None:
    strategy = get_strategy("rsi_revert")
    assert to_pine(strategy, {"length": 9}, PINE) == to_pine(strategy, {"length": 9.0}, PINE)


def test_head_names_definition_parameters_and_panel() -> None:
    strategy = get_strategy("sma_cross")
    head = to_pine(strategy, {"fast": 20}, PINE, panel_id="abc").split("//@version=6")[0]
    assert "Parameters: fast = 20, slow = 200" in head
    assert "(trend/sma_cross, version 1)" in head
    assert definition_hash(strategy) in head
    assert "Panel: abc" in head
    assert "Panel" not in to_pine(strategy, {}, PINE)


def test_every_setting_that_changes_trades_is_spelled_out() -> None:
    given = arguments(to_pine(get_strategy("sma_cross"), {}, PINE))
    assert given["initial_capital"] == "50000.0"
    assert given["commission_value"] == "0.07"
    assert given["slippage"] == "2"
    assert (given["margin_long"], given["margin_short"]) == ("0", "0")
    assert (given["default_qty_type"], given["default_qty_value"]) == ("strategy.percent_of_equity", "100.0")
    switches = ("process_orders_on_close", "calc_on_every_tick", "calc_on_order_fills", "use_bar_magnifier")
    assert [given[name] for name in switches] == ["false"] * 4


@pytest.mark.parametrize(
    ("kind", "word"), [(FeeKind.PER_ORDER, "cash_per_order"), (FeeKind.PER_CONTRACT, "cash_per_contract")]
)
def test_fees_in_money_keep_their_amount(kind: FeeKind, word: str) -> None:
    execution = replace(PINE, costs=Costs(fee=1.5, fee_kind=kind))
    given = arguments(to_pine(get_strategy("sma_cross"), {}, execution))
    assert (given["commission_type"], given["commission_value"]) == (f"strategy.commission.{word}", "1.5")


def test_pyramiding_counts_the_units() -> None:
    assert arguments(to_pine(HAND_MADE["adds"], {}, PINE))["pyramiding"] == "4"
    assert arguments(to_pine(HAND_MADE["market"], {}, PINE))["pyramiding"] == "1"


def test_inputs_carry_chosen_value_and_range() -> None:
    text = to_pine(get_strategy("rsi_revert"), {"length": 9, "oversold": 25.5}, PINE)
    assert 'length = input.int(9, "length", minval = 4, maxval = 56, step = 1)' in text
    assert 'oversold = input.float(25.5, "oversold", minval = 15.0, maxval = 45.0, step = 1.0)' in text
    assert 'if not (oversold < overbought)\n    runtime.error("oversold < overbought must hold.")' in text


def test_title_and_doc_cannot_break_out_of_their_line() -> None:
    strategy = replace(HAND_MADE["market"], title='A "quoted" \\ title', doc="One line.\nstrategy.close_all()")
    text = to_pine(strategy, {}, PINE)
    assert 'title = "A \\"quoted\\" \\\\ title",' in text
    assert "\nstrategy.close_all()" not in text
    parse_pine(text)


def test_names_of_pine_are_not_taken_by_ours() -> None:
    quick, calm = ema(close, 3), ema(close, 4)
    text = to_pine(replace(HAND_MADE["market"], let={"line": quick, "kama": calm}, short_entry=quick > calm), {}, PINE)
    assert "\nline_ = ta.ema(close, 3)\n" in text
    assert "\nkama_ = ta.ema(close, 4)\n" in text


def test_shorts_are_left_out_where_only_the_long_side_is_traded() -> None:
    text = to_pine(HAND_MADE["market"], {}, replace(PINE, sides=Sides.LONG))
    assert "strategy.short" not in text
    assert "Sides: long." in text


@pytest.mark.untraced  # nothing of ours runs in it; traced, pynescript takes 29 s of CPU instead of 10
def test_our_parser_reads_what_pynescript_reads() -> None:
    # Every construct the exporter emits, once: whole scripts take pynescript 5 to 20 s each, all of them together
    # some minutes (`python benchmarks/equivalence.py --grammar`).
    text = """//@version=6
f(float x, bool on) =>
    var float y = na
    y := (on ? 0.0 : y) + x[1]
    y
[_, b] = f(3, true)
if not b.c(0) and x != -1
    d = a + b * 2 > 1e-07 or e ? "q\\"" : na
    if f
        g.h("L", k = (a - b) / c)
"""
    assert dump(parse_pine(text)) == dump(parse(text))


def test_definition_over_several_symbols_is_not_exportable() -> None:
    several = cast("Strategy", SimpleNamespace(name="pairs"))
    with pytest.raises(NotExportable, match="pairs trades several symbols"):
        to_pine(several, {}, PINE)


def test_range_of_other_series_is_not_exportable() -> None:
    strategy = replace(HAND_MADE["long_only"], long_entry=op("atr", high, low, open_, 5) > 1.0)
    with pytest.raises(NotExportable, match="other series than high, low and close"):
        to_pine(strategy, {}, PINE)


def test_simple_mode_is_refused() -> None:
    with pytest.raises(InvalidInput, match="export needs Mode"):
        to_pine(get_strategy("sma_cross"), {}, Execution())


def test_wrong_parameters_are_refused() -> None:
    wrong: dict[str, Any] = {"fast": 60, "slow": 50}
    with pytest.raises(BadParameters, match="fast < slow must hold"):
        to_pine(get_strategy("sma_cross"), wrong, PINE)
