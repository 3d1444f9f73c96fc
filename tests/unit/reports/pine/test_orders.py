"""Orders of the emitted text: what is called, under which conditions, and where it fills on bars made by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hand_made import HAND_MADE
from pyne_oracle import PineTrade, run_pine

from chandlery.backtest.execution import Costs, Execution, FeeKind, Mode
from chandlery.backtest.panel import Panel
from chandlery.reports.pine import to_pine
from chandlery.strategies import (
    Adds,
    Basis,
    Bracket,
    Const,
    Distance,
    EntryOrder,
    Expression,
    OrderKind,
    Sides,
    Sizing,
    SizingKind,
    Strategy,
    Trail,
)
from chandlery.strategies.operations import close, high, low, volume

PINE = Execution(mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.001), capital=10_000.0, lot=1.0)
FREE = replace(PINE, costs=Costs(), sides=Sides.LONG)
DAY = 86_400_000_000
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

# Open, high, low, close, volume; a volume of 1 is the signal to enter.
BARS = (
    (100.0, 101.0, 99.0, 100.0, 9),
    (100.0, 101.0, 99.0, 100.0, 1),
    (100.0, 104.0, 99.0, 103.0, 9),
    (103.0, 106.0, 102.0, 105.0, 9),
    (105.0, 107.0, 94.0, 95.0, 9),
    (95.0, 96.0, 80.0, 90.0, 9),
    (90.0, 92.0, 88.0, 91.0, 9),
)


def told(**rules: object) -> Strategy:
    """Return a long strategy that does what the volume says."""
    plain: dict[str, object] = {"long_entry": volume <= 1.0, "long_exit": None, "params": {}}
    return replace(HAND_MADE["long_only"], **(plain | rules))


def trades(strategy: Strategy, bars: tuple[tuple[float, ...], ...] = BARS) -> tuple[PineTrade, ...]:
    """Run the exported text on `bars`, without costs; open trades come last."""
    stamps = np.arange(len(bars), dtype=np.int64) * DAY + START
    panel = Panel("MADE", "1d", stamps, np.array(bars).T)
    run = run_pine(to_pine(strategy, {}, FREE), panel, FREE)
    return (*run.trades, *run.open_trades)


def fills(strategy: Strategy, bars: tuple[tuple[float, ...], ...] = BARS) -> list[tuple[int, float, int, float]]:
    """Return number of the bar and price of entry and exit."""
    return [
        ((one.entered - START) // DAY, one.entry_price, (one.exited - START) // DAY, one.exit_price)
        for one in trades(strategy, bars)
    ]


def distance(value: Expression | float, basis: Basis, *, is_frozen: bool = False) -> Distance:
    """Return a distance; a plain number is a constant."""
    return Distance(value=value if isinstance(value, Expression) else Const(value), basis=basis, is_frozen=is_frozen)


def test_stop_in_percent_fills_at_its_level_on_the_path() -> None:
    # Bought at the open of bar 2, 100; 5 % below is 95; bar 4 falls from 107 to 94.
    found = told(long_bracket=Bracket(stop=distance(5.0, Basis.PERCENT)))
    assert fills(found) == [(2, 100.0, 4, 95.0)]


def test_bar_of_the_entry_is_not_protected() -> None:
    # One tick under the entry is touched on bar 2 itself; the stop acts from bar 3 on, whose low is 102.
    found = told(long_bracket=Bracket(stop=distance(50, Basis.TICKS)))
    assert fills(found) == [(2, 100.0, 4, 99.5)]


def test_limit_fills_at_the_open_when_price_gaps_over_it() -> None:
    found = told(long_bracket=Bracket(limit=distance(2.5, Basis.DISTANCE)))
    assert fills(found) == [(2, 100.0, 3, 103.0)]


def test_frozen_distance_is_that_of_the_signal_bar() -> None:
    # The range is 2 on the bar of the signal, 5 on the bar of the fill and 4 after it.
    ranges = high - low
    frozen = told(long_bracket=Bracket(limit=distance(ranges, Basis.DISTANCE, is_frozen=True)))
    moving = told(long_bracket=Bracket(limit=distance(ranges, Basis.DISTANCE)))
    assert fills(frozen) == [(2, 100.0, 3, 103.0)]
    assert fills(moving) == [(2, 100.0, 3, 105.0)]


def test_trail_follows_the_best_price_once_armed() -> None:
    # Armed at 104 on bar 3, whose high is 106; bar 4 rises to 107 first, then falls through 105.
    trail = Trail(offset=distance(200, Basis.TICKS), activation=distance(4.0, Basis.PERCENT))
    assert fills(told(long_bracket=Bracket(trail=trail))) == [(2, 100.0, 4, 105.0)]


def test_trail_without_activation_is_armed_at_a_loss() -> None:
    # Bar 2 closes at 97, below the entry of 100; bar 3 rises to 97.5 first, and 4 behind that is 93.5.
    bars = (*BARS[:2], (100.0, 101.0, 96.0, 97.0, 9), (97.0, 97.5, 90.0, 91.0, 9), *BARS[5:])
    trail = Trail(offset=distance(4.0, Basis.DISTANCE))
    assert fills(told(long_bracket=Bracket(trail=trail)), bars) == [(2, 100.0, 3, 93.5)]


def test_position_is_closed_at_the_open_after_so_many_closes() -> None:
    assert fills(told(long_bracket=Bracket(max_bars=Const(3)))) == [(2, 100.0, 5, 95.0)]


def test_stop_entry_waits_until_it_is_cancelled() -> None:
    order = EntryOrder(kind=OrderKind.STOP, level=high + 2.5)
    assert fills(told(long_order=order, long_bracket=Bracket(max_bars=Const(1)))) == [(2, 103.5, 3, 103.0)]
    later = replace(order, level=high + 5.5)
    assert fills(told(long_order=later, long_bracket=Bracket(max_bars=Const(1)))) == [(4, 106.5, 5, 95.0)]
    cancelled = replace(later, cancel=close > 104)
    assert fills(told(long_order=cancelled, long_bracket=Bracket(max_bars=Const(1)))) == []


def test_units_are_added_beyond_the_last_fill() -> None:
    # 100, then 103 and 106, one a bar; bar 4 is the third close since the first of them.
    found = told(
        adds=Adds(units=3, distance=distance(3.0, Basis.DISTANCE)),
        long_bracket=Bracket(max_bars=Const(3)),
        sizing=Sizing(value=Const(20.0)),
    )
    assert fills(found) == [(2, 100.0, 5, 95.0), (3, 103.0, 5, 95.0), (4, 106.0, 5, 95.0)]


@pytest.mark.parametrize(
    ("sizing", "units"),
    [
        (Sizing(value=Const(50.0)), 50),
        (Sizing(value=close / 4), 25),
        (Sizing(kind=SizingKind.CASH, value=Const(1_250.0)), 12),
        (Sizing(kind=SizingKind.FIXED, value=Const(7)), 7),
        (Sizing(kind=SizingKind.FIXED, value=close - 100), None),
        (Sizing(kind=SizingKind.FIXED, value=close - close[4]), None),
    ],
)
def test_quantity_follows_the_size_rule(sizing: Sizing, units: int | None) -> None:
    found = trades(told(sizing=sizing, long_bracket=Bracket(max_bars=Const(1))))
    assert [one.quantity for one in found] == ([] if units is None else [units])


def test_money_fees_are_part_of_a_stated_quantity() -> None:
    strategy = replace(HAND_MADE["market"], sizing=Sizing(value=close / 2))
    for kind, expected in (
        (FeeKind.PERCENT, "/ (close * syminfo.pointvalue * 1.001)"),
        (FeeKind.PER_CONTRACT, "/ (close * syminfo.pointvalue + 0.001)"),
        (FeeKind.PER_ORDER, "- 0.001) / (close * syminfo.pointvalue)"),
    ):
        execution = replace(PINE, costs=Costs(fee=0.001, fee_kind=kind))
        assert expected in to_pine(strategy, {}, execution)


def test_cancels_come_first_and_further_units_last() -> None:
    calls = ("strategy.cancel(", "strategy.close(", "strategy.entry(", "strategy.exit(", "stop = long_next")
    order = EntryOrder(kind=OrderKind.STOP, level=high, cancel=close > 104)
    text = to_pine(replace(HAND_MADE["adds"], long_order=order), {}, PINE)
    places = [text.index(call) for call in calls]
    assert places == sorted(places)


def test_only_two_waiting_entries_cancel_each_other() -> None:
    both = to_pine(HAND_MADE["stop_oca"], {}, PINE)
    assert both.count('oca_name = "Entry", oca_type = strategy.oca.cancel') == 2
    assert "oca_name" not in to_pine(HAND_MADE["stop_oca"], {}, FREE)


def test_timed_close_gives_way_to_a_reversal() -> None:
    text = to_pine(HAND_MADE["max_bars"], {}, PINE)
    assert "if long_open and bar_index - strategy.opentrades.entry_bar_index(0) + 1 >= 7 and not go_short\n" in text
