"""What a method is given, and what it is."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.space import Space

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

Search = Generator[Numbers, Floats, None]
"""Yields lattice points of one batch, is sent their scores `[n, objectives]`.

Every point is within the constraints and none comes twice; a batch is never empty; all batches together keep the
budget, and fall below it only when every point of the space has been asked for. A score may be minus infinity.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a search is to do: at most `budget` points of `space`, `objectives` scores each, `batch` at a time.

    `batch` bounds the batches of methods whose own rule sets no size; it is a fact of the plan, never of the
    speed of the machine, or a resume would propose other batches.
    """

    space: Space
    budget: int
    seed: int
    objectives: int = 1
    batch: int = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: `start` returns its generator; `is_adaptive` says whether scores change what it proposes."""

    name: str
    doc: str
    is_adaptive: bool
    start: Callable[[Plan], Search]
