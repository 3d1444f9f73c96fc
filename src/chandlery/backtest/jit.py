"""The typed door to numba: importing this module loads it, so only the compiled modules may."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])

Row = NDArray[np.float64]
Rows = NDArray[np.float64]


def kernel(function: F) -> F:
    """Compile as part of whatever calls it: IEEE arithmetic in the written order, division by zero as in numpy."""
    return cast("F", numba.njit(error_model="numpy", fastmath=False)(function))


def parallel_entry(function: F) -> F:
    """Compile for parallel loops and keep the machine code on disk.

    numba looks for a writable place in `NUMBA_CACHE_DIR`, beside the source, then in the user's cache folder; an
    installation that offers none still works and compiles once per process.
    """
    options = {"error_model": "numpy", "fastmath": False, "parallel": True, "nogil": True}
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:
        return cast("F", numba.njit(**options)(function))


def use_workqueue() -> None:
    """Choose numba's own thread pool: it survives a fork, and needs calls one at a time, which the engine locks."""
    numba.config.THREADING_LAYER = "workqueue"


def thread_limit() -> int:
    """Return how many threads numba may use in this process."""
    return int(numba.config.NUMBA_NUM_THREADS)


def set_threads(count: int) -> None:
    """Set how many threads the next parallel call uses."""
    numba.set_num_threads(count)


def get_threads() -> int:
    """Return how many threads the next parallel call would use."""
    return int(numba.get_num_threads())
