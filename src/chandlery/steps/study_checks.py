"""Checks of a finished study: does it look overfitted, and did the machine count what the reference counts?"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chandlery.backtest import METRICS
from chandlery.backtest.panel_files import open_panel
from chandlery.backtest.reference import reference_run
from chandlery.steps.study_prices import panel_folder
from chandlery.steps.study_receipt import StudyReceipt
from chandlery.steps.study_request import StudyRequest, check_request
from chandlery.store.study_reads import find_study, read_evaluations
from chandlery.store.warehouse import Warehouse

MOST_PBO, LEAST_DEFLATED, LEAST_TRADES = 0.5, 0.95, 30

_SHARE, _MOST_SAMPLED = 0.01, 20
"""A hundredth of the candidates; not more than 20, since the reference is plain Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One check: whether it passed, and the figures it saw."""

    name: str
    passed: bool
    is_error: bool
    figures: Mapping[str, Any]


def judge_study(
    warehouse: Warehouse, home: Path, request: StudyRequest, receipt: StudyReceipt
) -> tuple[Judgement, ...]:
    """Judge a finished study: three warnings about luck, one error if machine and reference differ.

    A figure that could not be computed fails its check: nothing is known in favour of the study.
    """
    evidence = receipt.evidence
    pbo, deflated = evidence.get("pbo"), evidence.get("deflated_sharpe")
    closed = next((int(str(row["best"])) for row in receipt.metrics if row["metric"] == "closed_trades"), 0)
    return (
        Judgement(
            name="overfitting_is_improbable",
            passed=pbo is not None and pbo <= MOST_PBO,
            is_error=False,
            figures={"pbo": pbo, "most": MOST_PBO},
        ),
        Judgement(
            name="sharpe_survives_deflation",
            passed=deflated is not None and deflated >= LEAST_DEFLATED,
            is_error=False,
            figures={"deflated_sharpe": deflated, "least": LEAST_DEFLATED, "trials": receipt.trials},
        ),
        Judgement(
            name="best_closed_thirty_trades",
            passed=closed >= LEAST_TRADES,
            is_error=False,
            figures={"closed_trades": closed, "least": LEAST_TRADES},
        ),
        _machine_equals_reference(warehouse, home, request, receipt.study_id),
    )


def _machine_equals_reference(warehouse: Warehouse, home: Path, request: StudyRequest, study_id: str) -> Judgement:
    """Compare stored metrics of a hundredth of the candidates with the reference's, bit by bit."""
    checked = check_request(request)
    panel = open_panel(panel_folder(home), find_study(warehouse, study_id).panel_id)
    found = read_evaluations(warehouse, study_id)
    whole = found.filter(found["state"] == "complete")
    count = min(whole.height, _MOST_SAMPLED, max(1, math.ceil(_SHARE * whole.height)))
    picked = np.random.default_rng(int(study_id[:8], 16)).choice(whole.height, size=count, replace=False)
    differing = []
    for row in whole[sorted(picked.tolist())].to_dicts():
        params = {name: row[f"param_{name}"] for name in checked.strategy.param_names}
        counted = asdict(reference_run(checked.strategy, params, panel, checked.execution).metrics)
        differing += [
            {"seq": row["seq"], "metric": name, "machine": row[name], "reference": counted[name]}
            for name in METRICS
            if not _equal(row[name], counted[name])
        ]
    return Judgement(
        name="machine_equals_reference",
        passed=not differing,
        is_error=True,
        figures={"sampled": count, "differing": differing},
    )


def _equal(stored: float | None, counted: float) -> bool:
    return (stored is None and not math.isfinite(counted)) or stored == counted
