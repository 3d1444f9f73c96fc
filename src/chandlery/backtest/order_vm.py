"""The compiled order simulator, parallel over candidates whose rows the machine of `vm.py` has filled.

An entry of its own: most strategies need no orders and load half as much machine code. Importing it loads numba.
"""

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.jit import Row, Rows, checksum, parallel_entry, unowned, use_workqueue
from chandlery.backtest.kernels import fields
from chandlery.backtest.kernels.orders import simulate_orders
from chandlery.backtest.kernels.roots import row_of


def _build(checksum: int) -> Callable[..., None]:
    def run(  # pragma: no cover - compiled, so coverage cannot see it
        bars: Rows,
        rows: tuple[Rows, Rows, NDArray[np.float64], NDArray[np.int64]],
        account: tuple[Row, NDArray[np.float64]],
        outputs: tuple[Rows, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Simulate every candidate.

        `bars`: see `simulate_orders`. `rows`: sources, derived rows, live rows per candidate, row of every root.
        `account`: plan, and a book per slice; each slice takes an equal share of the candidates. `outputs`:
        metrics, moments (per candidate, or scratch per slice), curves and trades (or none).
        """
        # A live use of the checksum, so that it stays part of the function; it is never negative.
        if checksum < 0:
            return
        sources, derived, live, roots = rows
        plan, books = account
        metrics, moments, curves, trades = outputs
        slices, trials = books.shape[0], live.shape[0]
        keeps_moments = moments.shape[0] == trials
        for part in numba.prange(slices):
            for trial in range(part * trials // slices, (part + 1) * trials // slices):
                blocks = moments[trial] if keeps_moments else moments[part]
                kept = (unowned(metrics[trial]), unowned(blocks), unowned(curves[0]), unowned(trades[0]))
                where = (unowned(sources), unowned(derived), unowned(live[trial]), unowned(roots))
                entries = (row_of(where, fields.GO), row_of(where, fields.PER_SIDE + fields.GO))
                terms = (unowned(plan), unowned(books[part]))
                simulate_orders(unowned(bars), entries, where, terms, kept)

    return parallel_entry(run)


use_workqueue()
run_orders = _build(checksum("kernels/*.py", "metrics.py", "opcodes.py", "program.py"))
"""The compiled order simulator; one call at a time per process (`machine` holds the lock)."""
