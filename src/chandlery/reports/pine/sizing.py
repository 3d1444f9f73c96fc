"""Sizing: how many units an entry asks for."""

from chandlery.backtest.execution import Execution, FeeKind
from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.syntax import BINARY, literal
from chandlery.strategies import Const, SizingKind, Strategy

_FACTOR = BINARY["*"]


def default_size(strategy: Strategy) -> tuple[str, str]:
    """Return `default_qty_type` and `default_qty_value`.

    A constant percent is left to Pine, which then measures orders at a level by the price they fill at; with any
    other rule every entry states its quantity, and the default is never used.
    """
    percent = _constant_percent(strategy)
    return ("strategy.fixed", "1") if percent is None else ("strategy.percent_of_equity", literal(percent))


def quantity(strategy: Strategy, execution: Execution, statements: Statements, price: str) -> str | None:
    """Return the quantity of an entry expected to fill at `price`, a name; None leaves it to the default."""
    if _constant_percent(strategy) is not None:
        return None
    value = statements.text(strategy.sizing.value, _FACTOR)
    match strategy.sizing.kind:
        case SizingKind.FIXED:
            return value
        case SizingKind.CASH:
            return f"{value} / ({price} * syminfo.pointvalue)"
        case SizingKind.PERCENT_OF_EQUITY:
            return _of_equity(f"strategy.equity * {value} / 100", execution, price)


def _constant_percent(strategy: Strategy) -> float | None:
    sizing = strategy.sizing
    if sizing.kind is SizingKind.PERCENT_OF_EQUITY and isinstance(sizing.value, Const) and sizing.value.value > 0:
        return sizing.value.value
    return None


def _of_equity(money: str, execution: Execution, price: str) -> str:
    """Return the quantity whose value and fee together are `money`."""
    fee = execution.costs.fee
    match execution.costs.fee_kind:
        case FeeKind.PERCENT:
            return f"{money} / ({price} * syminfo.pointvalue * {literal(1.0 + fee)})"
        case FeeKind.PER_CONTRACT:
            return f"{money} / ({price} * syminfo.pointvalue + {literal(fee)})"
        case FeeKind.PER_ORDER:
            return f"math.max(0.0, {money} - {literal(fee)}) / ({price} * syminfo.pointvalue)"
