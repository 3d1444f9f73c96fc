"""The machine of several symbols: one compiled function that simulates many plans, parallel over candidates.

Importing this module loads numba. As in `vm`, a checksum of the compiled sources is part of the function and of
the key under which its machine code is kept.
"""

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.jit import Rows, checksum, parallel_entry, use_workqueue
from chandlery.backtest.kernels.rebalance import Costs, Curves, Market, choose_sides, rebalance

Plans = tuple[NDArray[np.int64], NDArray[np.int64], Rows]
"""First decision of every candidate (one more than candidates), bars and weights of all decisions in a row."""

Memory = tuple[Rows, NDArray[np.float64]]
"""Accounts `[slices, 7]` and holdings `[slices, 4, symbols]`, one of each thread."""


def _build_run(checksum: int) -> Callable[..., None]:
    def run(  # pragma: no cover - compiled, so coverage cannot see it
        market: Market,
        plans: Plans,
        costs: Costs,
        memory: Memory,
        outputs: tuple[Rows, NDArray[np.float64], Curves],
    ) -> None:
        """Fill metrics and moments (per candidate, or scratch per thread) for every plan; curves for one."""
        # A live use of the checksum, so that it stays part of the function; it is never negative.
        if checksum < 0:
            return
        starts, bars, weights = plans
        accounts, holdings = memory
        metrics, moments, curves = outputs
        slices, trials = accounts.shape[0], metrics.shape[0]
        keeps_moments = moments.shape[0] == trials
        for part in numba.prange(slices):
            for trial in range(part * trials // slices, (part + 1) * trials // slices):
                first, last = starts[trial], starts[trial + 1]
                blocks = moments[trial] if keeps_moments else moments[part]
                plan = (bars[first:last], weights[first:last])
                rebalance(market, plan, costs, (accounts[part], holdings[part]), (metrics[trial], blocks, curves))

    return parallel_entry(run)


def _build_sides(checksum: int) -> Callable[..., None]:
    def run(signals: NDArray[np.bool_], sides: NDArray[np.int8]) -> None:  # pragma: no cover - compiled
        """Fill the wanted sides `[candidates, bars]` from the signals `[candidates, 4, bars]`."""
        if checksum < 0:
            return
        for trial in numba.prange(signals.shape[0]):
            choose_sides(signals[trial], sides[trial])

    return parallel_entry(run)


_SOURCES = checksum("metrics.py", "kernels/rebalance.py", "kernels/simulator.py")

use_workqueue()
run_plans = _build_run(_SOURCES)
"""The compiled simulator; one call at a time per process (`engine` holds the lock)."""
run_sides = _build_sides(_SOURCES)
"""The compiled state of pairs; one call at a time per process."""
