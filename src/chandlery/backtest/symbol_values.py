"""Values of expressions over several symbols, each subexpression computed once per parameter values it uses."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.multi_panel import MultiPanel
from chandlery.errors import InvalidInput
from chandlery.indicators import Role, get_op
from chandlery.strategies import Const, Expression, Hist, Op, Param, Series
from chandlery.strategies.definition import nodes
from chandlery.strategies.expressions import TIME_PARTS

_BYTES_KEPT = 256 * 2**20
"""Beyond this the values used longest ago are dropped."""

_WHOLE = {Role.LENGTH, Role.COUNT}

Numbers = Mapping[str, float | int]
"""Parameter values by name, whole numbers as int."""


class SymbolValues:
    """The values of expressions on one panel, remembered.

    An expression is computed on the bars on which every symbol it reads has one, in order and without gaps, and
    placed on the clock: na, or false for a signal, elsewhere. One that reads no prices has a value on every bar.
    """

    def __init__(self, panel: MultiPanel, expressions: Mapping[str, Expression]) -> None:
        self._panel = panel
        self._expressions = dict(expressions)
        self._names = {place: _used_names(expression) for place, expression in expressions.items()}
        self._traded = panel.traded
        self._kept: OrderedDict[tuple[object, ...], NDArray[Any]] = OrderedDict()
        self._bytes = 0

    def of_symbols(self, name: str, numbers: Numbers) -> NDArray[Any]:
        """Return the values of one expression for each symbol, `[symbols, n]`, float64 or bool, read-only."""
        return self._remembered(name, numbers, range(len(self._panel.symbols)))

    def of_clock(self, name: str, numbers: Numbers) -> NDArray[Any]:
        """Return the values `[n]` of an expression that reads the clock and named legs only, read-only."""
        row: NDArray[Any] = self._remembered(name, numbers, (None,))[0]
        return row

    def _remembered(self, name: str, numbers: Numbers, places: Iterable[int | None]) -> NDArray[Any]:
        key = (name, *(numbers[used] for used in self._names[name]))
        found = self._recall(key)
        if found is None:
            expression = self._expressions[name]
            found = self._keep(key, np.stack([self._placed(expression, numbers, place) for place in places]))
        return found

    def _placed(self, expression: Expression, numbers: Numbers, place: int | None) -> NDArray[Any]:
        read = _legs(expression, place)
        bars = np.flatnonzero(self._traded[sorted(read)].all(axis=0))
        values = np.asarray(self._compute(expression, numbers, place, (frozenset(read), bars)))
        placed = np.full(self._panel.bars, False if values.dtype == np.bool_ else np.nan, dtype=values.dtype)
        placed[bars] = values
        return placed

    def _compute(self, node: Expression, numbers: Numbers, place: int | None, group: tuple[Any, ...]) -> Any:  # noqa: ANN401
        match node:
            case Const():
                return node.value
            case Param():
                return numbers[node.name]
        reads, bars = group
        key = (node, tuple(numbers[used] for used in _used_names(node)), reads, place)
        found = self._recall(key)
        if found is None:
            found = self._keep(key, np.asarray(self._fresh(node, numbers, place, (reads, bars))))
        return found

    def _fresh(self, node: Expression, numbers: Numbers, place: int | None, group: tuple[Any, ...]) -> Any:  # noqa: ANN401
        match node:
            case Series():
                return self._source(node, place)[group[1]]
            case Hist():
                bars = node.bars if isinstance(node.bars, int) else int(numbers[node.bars.name])
                return _shifted(self._compute(node.operand, numbers, place, group), bars)
            case Op():
                spec = get_op(node.name)
                values = [self._compute(operand, numbers, place, group) for operand in node.operands]
                given = [
                    int(value) if role in _WHOLE else value for role, value in zip(spec.operands, values, strict=True)
                ]
                return spec.reference(*given)
        raise TypeError(type(node))

    def _source(self, node: Series, place: int | None) -> NDArray[np.float64]:
        if node.name in TIME_PARTS:
            return self._panel.clock(node.name)
        leg = place if node.leg is None else node.leg
        if leg is None:
            raise InvalidInput(f"{node.name} was read without a symbol; name a leg.")
        return self._panel.source(leg, node.name)

    def _recall(self, key: tuple[object, ...]) -> NDArray[Any] | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def _keep(self, key: tuple[object, ...], values: NDArray[Any]) -> NDArray[Any]:
        values.flags.writeable = False
        self._kept[key] = values
        self._bytes += values.nbytes
        while self._bytes > _BYTES_KEPT and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return values


def _legs(expression: Expression, place: int | None) -> set[int]:
    prices = (node for node in nodes(expression) if isinstance(node, Series) and node.name not in TIME_PARTS)
    legs = {place if node.leg is None else node.leg for node in prices}
    return {leg for leg in legs if leg is not None}


def _used_names(expression: Expression) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.name for node in nodes(expression) if isinstance(node, Param)))


def _shifted(values: NDArray[Any], bars: int) -> NDArray[Any]:
    shifted = np.full(values.shape, False if values.dtype == np.bool_ else np.nan, dtype=values.dtype)
    shifted[bars:] = values[: values.size - bars] if bars <= values.size else values[:0]
    return shifted
