"""Our trades in Pine mode beside those of the exported text in PyneCore."""

from collections.abc import Mapping
from typing import NamedTuple

from pyne_oracle import PineRun, PineTrade, run_pine

from chandlery.backtest import Execution, Panel, run_backtest
from chandlery.reports.pine import to_pine
from chandlery.strategies import Strategy


class TradeKey(NamedTuple):
    """A trade in whole ticks and lots, so that equal means equal; `exited` and `left` are -1 while it is open."""

    entered: int
    paid: int
    exited: int
    left: int
    lots: int


def our_trades(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution
) -> list[tuple[TradeKey, float]]:
    """Return the trades of `run_backtest` with their profits, open ones too; short quantities are negative."""
    found = []
    for row in run_backtest(strategy, params, panel, execution).trades.iter_rows(named=True):
        sign = -1 if row["side"] == "short" else 1
        is_open = row["is_open"]
        key = TradeKey(
            entered=int(panel.ts[row["entry_bar"]]),
            paid=round(row["entry_price"] / execution.tick),
            exited=-1 if is_open else int(panel.ts[row["exit_bar"]]),
            left=-1 if is_open else round(row["exit_price"] / execution.tick),
            lots=sign * round(abs(row["quantity"]) / execution.lot),
        )
        found.append((key, 0.0 if is_open else row["profit"]))
    return sorted(found)


def pine_trades(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution
) -> list[tuple[TradeKey, float]]:
    """Return the trades of the exported text, run in PyneCore, in the form of `our_trades`."""
    run = run_pine(to_pine(strategy, params, execution), panel, execution)
    return sorted((_key(trade, execution), trade.profit if trade.exited >= 0 else 0.0) for trade in _all(run))


def difference(strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution) -> str:
    """Return where the two part, empty if nowhere; profits may differ by 1e-6 of themselves and a thousandth."""
    ours, theirs = (trades(strategy, params, panel, execution) for trades in (our_trades, pine_trades))
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if mine[0] != other[0]:
            return f"trade {number} of {len(ours)} and {len(theirs)}: ours {mine}, PyneCore's {other}"
        if abs(mine[1] - other[1]) > 1e-6 * abs(other[1]) + 1e-3:
            return f"profit of trade {number}: ours {mine[1]}, PyneCore's {other[1]}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} trades of ours, {len(theirs)} of PyneCore"


def _all(run: PineRun) -> tuple[PineTrade, ...]:
    return (*run.trades, *run.open_trades)


def _key(trade: PineTrade, execution: Execution) -> TradeKey:
    is_open = trade.exited < 0
    return TradeKey(
        entered=trade.entered,
        paid=round(trade.entry_price / execution.tick),
        exited=trade.exited,
        left=-1 if is_open else round(trade.exit_price / execution.tick),
        lots=round(trade.quantity / execution.lot),
    )
