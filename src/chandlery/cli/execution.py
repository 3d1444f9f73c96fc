"""Execution: the conventions of a run from the options of a command."""

from collections.abc import Mapping

from chandlery.backtest.execution import Execution, Mode
from chandlery.errors import InvalidInput
from chandlery.steps.backtests import build_costs
from chandlery.strategies import Sides

_OPTIONS = {"capital": "--capital", "tick": "--tick", "lot": "--qty"}


def chosen_execution(
    mode: str, sides: str, bps: Mapping[str, float], *, slippage_ticks: int, money: Mapping[str, float | None]
) -> Execution:
    """Return the conventions that options describe; `bps` and `money` by the names of the options.

    Raises:
        InvalidInput: for costs or amounts out of range, or an option the mode does not know.
    """
    chosen = Mode(mode)
    given = {name: value for name, value in money.items() if value is not None}
    if chosen is Mode.SIMPLE and given:
        named = ", ".join(_OPTIONS[name] for name in given)
        raise InvalidInput(
            f"{named} was given in simple mode, which starts with 1 and trades fractions. Add --mode pine."
        )
    costs = build_costs(chosen, slippage_ticks=slippage_ticks, **bps)
    return Execution(mode=chosen, sides=Sides(sides), costs=costs, **given)
