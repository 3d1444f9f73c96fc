"""A figure with the reason it is there, or is not."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from chandlery.errors import InvalidInput


class Status(StrEnum):
    """Why a figure has, or lacks, a value."""

    OK = "ok"
    PROXIED = "proxied"
    """A value whose input was filled in part by a stand-in that the report names."""
    INSUFFICIENT = "insufficient"
    """Too few observations for the figure to mean anything."""
    ZERO_VARIANCE = "zero_variance"
    """The returns do not vary beyond float noise."""
    NO_LOSS = "no_loss"
    """A division by losses, and there are none."""
    MISSING_INPUT = "missing_input"
    """A price or return that the figure needs is absent."""
    NON_MONOTONE = "non_monotone"
    """The Cornish-Fisher expansion is no quantile map for these moments."""
    INFEASIBLE = "infeasible"
    """The formula has no finite real value here, e.g. compounding through a loss of more than everything."""


_WITH_VALUE = frozenset({Status.OK, Status.PROXIED})


@dataclass(frozen=True, slots=True)
class Measured:
    """A value, its status and the number of observations behind it.

    `value` is finite when `status` is `ok` or `proxied` and None otherwise: never NaN, infinite or a silent 0.

    Raises:
        InvalidInput: when value and status contradict each other.
    """

    value: float | None
    status: Status
    n: int

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.status in _WITH_VALUE):
            raise InvalidInput(f"Status {self.status} came with value {self.value}; only ok and proxied carry one.")
        if self.value is not None and not math.isfinite(self.value):
            raise InvalidInput(f"A measured value was {self.value}; use known(), which turns it into a status.")

    def proxied(self) -> Self:
        """Return the same figure marked as resting on a stand-in; one without a value stays as it is."""
        return replace(self, status=Status.PROXIED) if self.value is not None else self


def known(value: float, *, n: int) -> Measured:
    """Return `value` as `ok`, or `infeasible` when it is NaN or infinite."""
    number = float(value)
    return Measured(number, Status.OK, n) if math.isfinite(number) else Measured(None, Status.INFEASIBLE, n)


def unknown(status: Status, *, n: int) -> Measured:
    """Return a figure without value."""
    return Measured(None, status, n)
