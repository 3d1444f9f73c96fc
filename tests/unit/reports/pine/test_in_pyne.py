"""Values of the emitted text in PyneCore against the reference: every operation, and random expressions."""

import numpy as np
import pytest
from pyne_oracle import run_pine
from tape_panels import TAPES, daily

from chandlery.backtest.execution import Execution, Mode
from chandlery.backtest.reference import series_values
from chandlery.indicators import OPS, Role
from chandlery.reports.pine import to_pine
from chandlery.strategies import Const, Expression, Kind, Strategy, kind_of
from chandlery.strategies.operations import close, high, hlc3, low, nz, ohlc4, open_, volume, where
from chandlery.strategies.operations.build import op

pytestmark = pytest.mark.skipif(not TAPES.is_dir(), reason="the shared tapes are not beside the repository")

HEAD = low[4]
"""A series that begins with na."""

BARS = {"heikin_ashi_open": (open_, close, ohlc4)}
NUMBERS = {"alma": (0.85, 6.0), "sar": (0.02, 0.03, 0.2), "sar_next": (0.02, 0.03, 0.2)}
ALONE = {"log": close - 66, "sqrt": close - 66, "exp": close / 50}
CONDITIONS = (close > open_, low < low[1])


def carrier(values: dict[str, Expression]) -> Strategy:
    """Return a strategy that plots `values`; each of them changes its signal."""
    total: Expression = close * 0.0
    for value in values.values():
        total += where(value, 1, 0) if kind_of(value, {}) is Kind.SIGNAL else nz(value)
    return Strategy(
        name="carrier",
        version=1,
        family="trend",
        title="Carrier",
        doc="Carrier.",
        let=values,
        long_entry=total > 0,
        long_exit=total < 0,
    )


def assert_equal_in_pyne(values: dict[str, Expression]) -> None:
    """Compare every value on every bar, to 1e-9."""
    panel, execution, strategy = daily("AAPL", 6300, 400), Execution(mode=Mode.PINE), carrier(values)
    plots = run_pine(to_pine(strategy, {}, execution), panel, execution).plots
    assert plots.keys() == values.keys()
    for name, value in values.items():
        expected = np.broadcast_to(np.asarray(series_values(value, {}, panel), dtype=float), (panel.bars,))
        np.testing.assert_allclose(plots[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)


def operands(name: str, source: Expression) -> list[Expression]:
    """Return operands that fit the operation, `source` first."""
    roles = OPS[name].operands
    rows = iter(BARS.get(name, (high, low, close)) if f"{{{0}}}" not in OPS[name].pine or name in BARS else ())
    numbers, conditions, others = iter(NUMBERS.get(name, (3.0,))), iter(CONDITIONS), iter((source, hlc3, open_))
    found: list[Expression] = []
    for role in roles:
        match role:
            case Role.SERIES | Role.VALUE:
                found.append(next(rows, None) or ALONE.get(name) or next(others))
            case Role.CONDITION:
                found.append(next(conditions))
            case Role.NUMBER:
                found.append(Const(next(numbers)))
            case _:
                found.append(Const(7 if role is Role.LENGTH else 2))
    return found


def test_every_operation_has_the_values_of_the_reference() -> None:
    values = {f"{name}_0": op(name, *operands(name, close)) for name in OPS if name != "pow"}
    values |= {f"{name}_1": op(name, *operands(name, HEAD)) for name in OPS if name != "pow"}
    values["pow_0"] = op("pow", close, 1.5)
    distinct = {value: name for name, value in reversed(values.items())}
    assert_equal_in_pyne({name: value for value, name in distinct.items()})


@pytest.mark.untraced  # the time goes into PyneCore
def test_random_expressions_have_the_values_of_the_reference() -> None:
    random = np.random.default_rng(7)
    leaves = [open_, high, low, close, hlc3, volume, close[3], HEAD, Const(2), Const(0.5), Const(-1.5)]
    flags: list[Expression] = [*CONDITIONS, (close > open_)[2]]
    values: dict[str, Expression] = {}
    for number in range(80):
        first, second = (leaves[int(k)] for k in random.integers(0, len(leaves), 2))
        name = str(random.choice(["add", "sub", "mul", "div", "mod", "min", "max", "gt", "ge", "lt", "le", "eq", "ne"]))
        if isinstance(first, Const) and isinstance(second, Const):
            first = close
        made: Expression = op(name, first, second)
        if OPS[name].is_signal:
            other = flags[int(random.integers(0, len(flags)))]
            made = [made & other, made | ~other, ~made, made][int(random.integers(0, 4))]
            flags.append(made)
        else:
            made = where(flags[int(random.integers(0, len(flags)))], made, first)
            leaves.append(made)
        values[f"value_{number}"] = made
    assert_equal_in_pyne({name: value for value, name in {value: name for name, value in values.items()}.items()})
