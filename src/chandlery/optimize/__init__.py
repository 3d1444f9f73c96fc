"""Optimize: searches the parameter lattice of a strategy and says how much of the result may be luck.

What belongs here: search spaces, the objective, the study driver over Optuna, overfitting statistics. What does
not: running candidates (`backtest/`), rendering results (`reports/`), where studies are stored (a storage URL is
handed in). Reports and steps may import it. Optuna is the record and the sampler; candidates are evaluated in
batches by the engine, which loads numba at its first use.
"""

from chandlery.optimize.objective import MIN_TRADES, OBJECTIVE, scores
from chandlery.optimize.overfitting import (
    ReturnShape,
    deflated_sharpe,
    expected_max_sharpe,
    min_track_record_length,
    psr,
    return_shape,
)
from chandlery.optimize.proposals import BATCH
from chandlery.optimize.result import StudyResult
from chandlery.optimize.space import Space
from chandlery.optimize.study import run_study

__all__ = [
    "BATCH",
    "MIN_TRADES",
    "OBJECTIVE",
    "ReturnShape",
    "Space",
    "StudyResult",
    "deflated_sharpe",
    "expected_max_sharpe",
    "min_track_record_length",
    "psr",
    "return_shape",
    "run_study",
    "scores",
]
