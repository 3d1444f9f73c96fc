"""Spec: what the definition language knows of one operation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Bars = np.int64 | NDArray[np.int64]
Lengths = Sequence[Bars]
Reference = Callable[..., NDArray[np.float64] | NDArray[np.bool_]]
Warmup = Callable[[Lengths], Bars]


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
    COUNT = "count"
    """A whole number, at least 0, constant over the bars."""
    NUMBER = "number"
    """A number, constant over the bars."""


SLOTTED = frozenset({Role.LENGTH, Role.COUNT, Role.NUMBER})
"""Roles whose operand is one number per candidate, not a row of bars."""


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


def no_bars(_lengths: Lengths) -> Bars:
    """Nothing beyond the operands."""
    return np.int64(0)


def one_bar(_lengths: Lengths) -> Bars:
    """The bar before."""
    return np.int64(1)


def window(lengths: Lengths) -> Bars:
    """A window that ends on this bar."""
    return lengths[0] - 1


def lag(lengths: Lengths) -> Bars:
    """A value so many bars ago."""
    return lengths[0]


def both_sides(lengths: Lengths) -> Bars:
    """Bars on either side of the one in question."""
    return lengths[0] + lengths[1]


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One operation.

    `operands` are at most three rows (`SERIES`, `VALUE`, `CONDITION`) and three numbers (`SLOTTED`).
    `warmup` maps the `LENGTH` operands, in order, to the bars needed beyond the latest operand's warm-up; a
    length may be an array with one entry per candidate. `reference` takes the operands in order and defines the
    numbers; the compiled version must equal it bit by bit. `pine` is the text in Pine v6 with `{i}` for operand
    i. Operations that share one computation (`supertrend`, `supertrend_direction`) have the same `code` and
    differ in `output`, which of the `outputs` answers they are; `code` is empty for the usual case, the name.
    A window that `restarts` after NaN holds what there is since: its warm-up and that of its operands run at the
    same time instead of one after the other.
    """

    name: str
    operands: tuple[Role, ...]
    is_signal: bool
    scalar: Scalar
    warmup: Warmup
    reference: Reference
    pine: str
    code: str = ""
    output: int = 0
    outputs: int = 1
    restarts: bool = False

    @property
    def computation(self) -> str:
        """Name of the computation behind the operation."""
        return self.code or self.name


SERIES_AND_LENGTH = (Role.SERIES, Role.LENGTH)
BAR = (Role.SERIES, Role.SERIES, Role.SERIES)
PAIR = (Role.VALUE, Role.VALUE)
CONDITIONS = (Role.CONDITION, Role.CONDITION)


def numeric(
    name: str, operands: tuple[Role, ...], reference: Reference, pine: str, *, warmup: Warmup = window
) -> OpSpec:
    """Return the spec of an operation that answers a float series and needs one."""
    return OpSpec(name, operands, False, Scalar.NEVER, warmup, reference, pine)  # noqa: FBT003 - one flag, named


def windowed(
    name: str, operands: tuple[Role, ...], reference: Reference, pine: str, *, warmup: Warmup = window
) -> OpSpec:
    """Return the spec of an operation that answers a float series from a window that restarts after NaN."""
    return OpSpec(name, operands, False, Scalar.NEVER, warmup, reference, pine, restarts=True)  # noqa: FBT003 - one flag


def signal(
    name: str, operands: tuple[Role, ...], reference: Reference, pine: str, *, warmup: Warmup = no_bars
) -> OpSpec:
    """Return the spec of an operation that answers a bool series and needs a series."""
    return OpSpec(name, operands, True, Scalar.NEVER, warmup, reference, pine)  # noqa: FBT003 - one flag, named
