"""The registry: one entry per operation with its name, operand types, warm-up and reference function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import ResearchError
from chandlery.indicators import crosses, extremes, moving_averages, operators, oscillators, ranges

Bars = np.int64 | NDArray[np.int64]
Lengths = Sequence[Bars]
Reference = Callable[..., NDArray[np.float64] | NDArray[np.bool_]]


class Role(StrEnum):
    """What an operand must be."""

    SERIES = "series"
    """A float series."""
    VALUE = "value"
    """A float series or a number; the operation is elementwise in it."""
    CONDITION = "condition"
    """A bool series."""
    LENGTH = "length"
    """A whole number of bars, at least 1, constant over the bars."""


class Scalar(StrEnum):
    """What an operation answers on numbers alone."""

    NEVER = "never"
    """It needs a series."""
    KEEP = "keep"
    """A whole number from whole numbers, else a number."""
    WHOLE = "whole"
    """A whole number."""
    NUMBER = "number"
    """A number."""
    FLAG = "flag"
    """True or false."""


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One operation.

    `warmup` maps the lengths, in operand order, to the bars needed beyond the latest operand's warm-up; a length
    may be an array with one entry per candidate. `reference` takes the operands in order and defines the
    numbers; the compiled version must equal it bit by bit.
    """

    name: str
    operands: tuple[Role, ...]
    is_signal: bool
    scalar: Scalar
    warmup: Callable[[Lengths], Bars]
    reference: Reference


def _none(_lengths: Lengths) -> Bars:
    return np.int64(0)


def _one(_lengths: Lengths) -> Bars:
    return np.int64(1)


def _window(lengths: Lengths) -> Bars:
    return lengths[0] - 1


def _lag(lengths: Lengths) -> Bars:
    return lengths[0]


def _specs() -> list[OpSpec]:
    windowed = (Role.SERIES, Role.LENGTH)
    bar = (Role.SERIES, Role.SERIES, Role.SERIES)
    pair, conditions = (Role.VALUE, Role.VALUE), (Role.CONDITION, Role.CONDITION)
    numeric, signal = False, True
    return [
        OpSpec("sma", windowed, numeric, Scalar.NEVER, _window, moving_averages.sma),
        OpSpec("ema", windowed, numeric, Scalar.NEVER, _window, moving_averages.ema),
        OpSpec("rma", windowed, numeric, Scalar.NEVER, _window, moving_averages.rma),
        OpSpec("rsi", windowed, numeric, Scalar.NEVER, _lag, oscillators.rsi),
        OpSpec("change", windowed, numeric, Scalar.NEVER, _lag, oscillators.change),
        OpSpec("highest", windowed, numeric, Scalar.NEVER, _window, extremes.highest),
        OpSpec("lowest", windowed, numeric, Scalar.NEVER, _window, extremes.lowest),
        OpSpec("tr", bar, numeric, Scalar.NEVER, _one, ranges.tr),
        OpSpec("filled_tr", bar, numeric, Scalar.NEVER, _none, ranges.filled_tr),
        OpSpec("atr", (*bar, Role.LENGTH), numeric, Scalar.NEVER, _window, ranges.atr),
        OpSpec("crossover", pair, signal, Scalar.NEVER, _one, crosses.crossover),
        OpSpec("crossunder", pair, signal, Scalar.NEVER, _one, crosses.crossunder),
        OpSpec("add", pair, numeric, Scalar.KEEP, _none, operators.add),
        OpSpec("sub", pair, numeric, Scalar.KEEP, _none, operators.sub),
        OpSpec("mul", pair, numeric, Scalar.KEEP, _none, operators.mul),
        OpSpec("div", pair, numeric, Scalar.NUMBER, _none, operators.div),
        OpSpec("abs", (Role.VALUE,), numeric, Scalar.KEEP, _none, operators.absolute),
        OpSpec("floor", (Role.VALUE,), numeric, Scalar.WHOLE, _none, operators.floor),
        OpSpec("min", pair, numeric, Scalar.KEEP, _none, operators.minimum),
        OpSpec("max", pair, numeric, Scalar.KEEP, _none, operators.maximum),
        OpSpec("nz", pair, numeric, Scalar.NEVER, _none, operators.nz),
        OpSpec("where", (Role.CONDITION, *pair), numeric, Scalar.NEVER, _none, operators.where),
        OpSpec("gt", pair, signal, Scalar.FLAG, _none, operators.gt),
        OpSpec("ge", pair, signal, Scalar.FLAG, _none, operators.ge),
        OpSpec("lt", pair, signal, Scalar.FLAG, _none, operators.lt),
        OpSpec("le", pair, signal, Scalar.FLAG, _none, operators.le),
        OpSpec("eq", pair, signal, Scalar.FLAG, _none, operators.eq),
        OpSpec("ne", pair, signal, Scalar.FLAG, _none, operators.ne),
        OpSpec("and", conditions, signal, Scalar.FLAG, _none, operators.logical_and),
        OpSpec("or", conditions, signal, Scalar.FLAG, _none, operators.logical_or),
        OpSpec("not", (Role.CONDITION,), signal, Scalar.FLAG, _none, operators.logical_not),
    ]


OPS = MappingProxyType({spec.name: spec for spec in _specs()})
"""Every operation by name."""


def get_op(name: str) -> OpSpec:
    """Return the operation called `name`.

    Raises:
        ResearchError: if there is none.
    """
    spec = OPS.get(name)
    if spec is None:
        raise ResearchError(f"Operation was {name!r}; registered operations are {', '.join(OPS)}.")
    return spec
