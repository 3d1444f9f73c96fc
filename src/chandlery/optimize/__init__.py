"""Optimize: searches the parameter lattice of a strategy and says how much of the result may be luck.

What belongs here: search spaces, the objective, the study driver over Optuna, overfitting statistics. What does
not: running candidates (`backtest/`), rendering results (`reports/`), where studies are stored (a storage URL is
handed in). Reports and steps may import it. Optuna is the record and the sampler; candidates are evaluated in
batches by the engine, which loads numba at its first use.
"""

from chandlery.optimize.batches import Batch, MemoryRecord, Question, Record, State, Table
from chandlery.optimize.blocks import BlockReturns
from chandlery.optimize.bootstrap import optimal_block_length, stationary_counts
from chandlery.optimize.cpcv import cpcv
from chandlery.optimize.cscv import PboResult, pbo
from chandlery.optimize.effective_trials import effective_trials
from chandlery.optimize.evidence import Evidence, Word
from chandlery.optimize.facts import study_facts
from chandlery.optimize.gathering import gather_evidence
from chandlery.optimize.methods import all_methods, get_method
from chandlery.optimize.objective import MIN_TRADES, OBJECTIVE, Objective, all_objectives, get_objective, scores
from chandlery.optimize.overfitting import (
    ReturnShape,
    deflated_sharpe,
    expected_max_sharpe,
    min_track_record_length,
    psr,
    return_shape,
)
from chandlery.optimize.pareto import pareto_front
from chandlery.optimize.policy import choose_method
from chandlery.optimize.progress import Progress
from chandlery.optimize.reality_check import RealityCheck, Spa, reality_check, spa
from chandlery.optimize.result import StudyResult, conclude
from chandlery.optimize.search import SearchOutcome, run_search
from chandlery.optimize.space import Space
from chandlery.optimize.study import run_study
from chandlery.optimize.walk_forward import walk_forward

__all__ = [
    "MIN_TRADES",
    "OBJECTIVE",
    "Batch",
    "BlockReturns",
    "Evidence",
    "MemoryRecord",
    "Objective",
    "PboResult",
    "Progress",
    "Question",
    "RealityCheck",
    "Record",
    "ReturnShape",
    "SearchOutcome",
    "Spa",
    "Space",
    "State",
    "StudyResult",
    "Table",
    "Word",
    "all_methods",
    "all_objectives",
    "choose_method",
    "conclude",
    "cpcv",
    "deflated_sharpe",
    "effective_trials",
    "expected_max_sharpe",
    "gather_evidence",
    "get_method",
    "get_objective",
    "min_track_record_length",
    "optimal_block_length",
    "pareto_front",
    "pbo",
    "psr",
    "reality_check",
    "return_shape",
    "run_search",
    "run_study",
    "scores",
    "spa",
    "stationary_counts",
    "study_facts",
    "walk_forward",
]
