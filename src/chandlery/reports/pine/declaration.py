"""Declaration: the head of the script, with every setting that could change a trade written out.

Defaults of `strategy()` changed between versions of Pine; a setting left out means something else next year.
"""

from collections.abc import Mapping
from decimal import Decimal

from chandlery.backtest.execution import Execution, FeeKind
from chandlery.reports.pine.sizing import default_size
from chandlery.reports.pine.syntax import comment, literal, quoted
from chandlery.strategies import Strategy, definition_hash

_FEES = {
    FeeKind.PERCENT: "strategy.commission.percent",
    FeeKind.PER_ORDER: "strategy.commission.cash_per_order",
    FeeKind.PER_CONTRACT: "strategy.commission.cash_per_contract",
}


def header_lines(
    strategy: Strategy, values: Mapping[str, float], execution: Execution, panel_id: str | None
) -> list[str]:
    """Return the comment that says what the script is made from."""
    chosen = ", ".join(f"{name} = {literal(value)}" for name, value in values.items()) or "none"
    marks = {"tick": execution.tick, "lot": execution.lot, "point value": execution.point_value}
    symbol = ", ".join(f"{name} {literal(value)}" for name, value in marks.items())
    facts = [
        f"{strategy.title} ({strategy.family}/{strategy.name}, version {strategy.version})",
        strategy.doc,
        *(f"Source: {reference}" for reference in strategy.refs),
        f"Parameters: {chosen}",
        f"Definition: {definition_hash(strategy)}",
        f"Sides: {execution.sides}. Symbol: {symbol}.",
    ]
    if panel_id is not None:
        facts.append(f"Panel: {panel_id}")
    return [comment(fact) for fact in facts]


def declaration_lines(strategy: Strategy, execution: Execution) -> list[str]:
    """Return the call of `strategy()`, one argument a line."""
    costs = execution.costs
    kind, value = default_size(strategy)
    arguments = {
        "title": quoted(strategy.title),
        "shorttitle": quoted(strategy.name),
        "overlay": "true",
        "format": "format.inherit",
        "pyramiding": str(strategy.adds.units if strategy.adds is not None else 1),
        "calc_on_order_fills": "false",
        "calc_on_every_tick": "false",
        "max_bars_back": "0",
        "backtest_fill_limits_assumption": "0",
        "default_qty_type": kind,
        "default_qty_value": value,
        "initial_capital": literal(execution.capital),
        "currency": "currency.NONE",
        "slippage": str(costs.slippage_ticks),
        "commission_type": _FEES[costs.fee_kind],
        "commission_value": _fee(costs.fee, costs.fee_kind),
        "process_orders_on_close": "false",
        "close_entries_rule": '"FIFO"',
        # Without this a gap up makes an order of all equity too large, and it is rejected.
        "margin_long": "0",
        "margin_short": "0",
        "calc_bars_count": "0",
        "risk_free_rate": "0",
        "use_bar_magnifier": "false",
        "fill_orders_on_standard_ohlc": "false",
        "dynamic_requests": "false",
        "behind_chart": "true",
    }
    listed = [f"     {name} = {text}" for name, text in arguments.items()]
    return ["strategy(", *(f"{line}," for line in listed[:-1]), f"{listed[-1]})"]


def _fee(fee: float, kind: FeeKind) -> str:
    """Return the fee in Pine's unit: percent, or money."""
    # In decimals: 0.0007 * 100 is not 0.07 to a float.
    return literal(float(Decimal(repr(float(fee))) * 100)) if kind is FeeKind.PERCENT else literal(fee)
