"""The evaluation table of a search, from its batches."""

from collections.abc import Sequence

import numpy as np

from chandlery.backtest import METRICS
from chandlery.optimize.batches import Batch, Table


def table_of(batches: Sequence[Batch], *, parameters: int, objectives: int, blocks: int) -> Table:
    """Return the candidates of batches, which are ascending by (index, part), as one table."""
    columns = {
        "numbers": np.empty(0, dtype=np.int64),
        "params": np.empty((0, parameters)),
        "scores": np.empty((0, objectives)),
        "metrics": np.empty((0, len(METRICS))),
        "moments": np.empty((0, blocks, 4)),
        "states": np.empty(0, dtype=np.uint8),
    }
    joined = {
        name: np.concatenate([empty, *(getattr(batch, name) for batch in batches)]) for name, empty in columns.items()
    }
    reasons = {batch.first_seq + at: why for batch in batches for at, why in batch.reasons.items()}
    return Table(**joined, reasons=reasons)
