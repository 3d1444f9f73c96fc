"""Build the dbt models outside Dagster: what `backfill` and `tape ingest` do after they brought bars in."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

from chandlery.errors import StoreError
from chandlery.log import get_logger
from chandlery.quality.deadlines import FRESHNESS_MINUTES
from chandlery.quality.thresholds import NO_OVERRIDES
from chandlery.settings import PROJECT_DIR, process_environment
from chandlery.steps.candles import dbt_environment
from chandlery.store.candles import is_built
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

DBT_PROJECT = PROJECT_DIR / "dbt_project"
DBT_PROGRAM = Path(sys.executable).parent / "dbt"
"""Beside the interpreter: a process started by full path does not have it on PATH."""
MARKET_MODELS = "staging intermediate marts candles_v1 quality_v1 symbols_v1"
"""Everything that follows sessions of bars."""
_TAIL = 15


@dataclass(frozen=True, slots=True)
class ModelReceipt:
    """One build of the market models: the window `[start, end)` and the seconds it took."""

    start: date
    end: date
    seconds: float


def has_models(warehouse: Warehouse) -> bool:
    """Tell whether scores were ever built."""
    return is_built(warehouse, "marts.quality_scores_daily")


def window_variables(start: date, end: date, thresholds: Mapping[str, float]) -> dict[str, str | float]:
    """Return what the models are told of a run: its sessions `[start, end)` and the deadline of their bars."""
    deadline = FRESHNESS_MINUTES.of(thresholds)
    return {"start_session": start.isoformat(), "end_session": end.isoformat(), FRESHNESS_MINUTES.name: deadline}


def build_market_models(
    warehouse: Warehouse,
    *,
    start: date,
    end: date,
    target: Path,
    models: str = MARKET_MODELS,
    rebuild: bool = False,
    thresholds: Mapping[str, float] = NO_OVERRIDES,
) -> ModelReceipt:
    """Build views, candles, quality scores and what is served of them for the sessions `[start, end)`.

    Args:
        warehouse: where; dbt logs in as the pipeline.
        start: first session.
        end: session after the last one.
        target: folder for dbt's artefacts and log.
        models: which of them, as dbt selects; their tests run with them.
        rebuild: also of sessions whose bars have not changed since they were built.
        thresholds: of rules, where not at their default; the score's deadline is one of them.

    Raises:
        StoreError: dbt failed; the message ends with its last lines.
    """
    began = perf_counter()
    variables = {**window_variables(start, end, thresholds), "rebuild": rebuild}
    places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", str(target)]
    arguments = [
        *(str(DBT_PROGRAM), "build", "--quiet", *places, "--log-path", str(target)),
        *("--select", *models.split(), "--exclude-resource-type", "unit_test", "--vars", json.dumps(variables)),
    ]
    done = subprocess.run(
        arguments,
        cwd=DBT_PROJECT,
        env=process_environment({**dbt_environment(warehouse), "DO_NOT_TRACK": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_TAIL:])
        raise StoreError(f"dbt was to build the sessions {start} to {end} and failed; its log is in {target}:\n{tail}")
    receipt = ModelReceipt(start, end, perf_counter() - began)
    log.info("models_built", start=str(start), end=str(end), seconds=round(receipt.seconds, 1))
    return receipt
