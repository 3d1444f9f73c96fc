"""Progress: how far a search is, and the best it found so far."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.objective import best_of
from chandlery.optimize.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a search is.

    `rate` counts candidates a second since this run began, those it only replayed left out; `eta_s` is None before
    there is a rate. `best_score` is that of the first objective, None while no candidate is ranked.
    """

    done: int
    total: int
    rate: float
    eta_s: float | None
    best_score: float | None
    best_params: Mapping[str, float | int]


class Meter:
    """Counts candidates and tells a listener."""

    def __init__(self, space: Space, *, total: int, listener: Callable[[Progress], None] | None) -> None:
        """Begin at zero of `total`."""
        self._space, self._total, self._listener = space, total, listener
        self._started = time.perf_counter()
        self._done = self._evaluated = 0
        self._best: tuple[float, int] | None = None

    def count(self, numbers: NDArray[np.int64], score: NDArray[np.float64], *, evaluated: int) -> None:
        """Count one batch, of which `evaluated` were not replayed, with its first scores `[n]`; tell the listener."""
        self._done += numbers.size
        self._evaluated += evaluated
        at = best_of(score, numbers)
        found = (float(score[at]), int(numbers[at]))
        if np.isfinite(found[0]) and (self._best is None or (found[0], -found[1]) > (self._best[0], -self._best[1])):
            self._best = found
        if self._listener is not None and evaluated:
            self._listener(self._progress())

    def _progress(self) -> Progress:
        spent = time.perf_counter() - self._started
        rate = self._evaluated / spent if spent > 0 else 0.0
        return Progress(
            done=self._done,
            total=self._total,
            rate=rate,
            eta_s=(self._total - self._done) / rate if rate > 0 else None,
            best_score=self._best[0] if self._best else None,
            best_params=self._space.values_at(self._best[1]) if self._best else {},
        )
