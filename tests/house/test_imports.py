"""What each process loads; the import contracts are held by `make lint`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BUDGET = {
    "chandlery.api.app": ("dagster", "great_expectations", "optuna", "pandas", "alembic", "numba"),
    "chandlery.cli": ("dagster", "great_expectations", "optuna"),
    "orchestration.definitions": ("great_expectations", "numba"),
}


@pytest.mark.parametrize("module", BUDGET)
def test_a_fresh_interpreter_loads_nothing_over_the_budget(
    module: str, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    program = f"import {module}, json, sys; print(json.dumps(sorted(name for name in sys.modules if '.' not in name)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=clean_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert sorted(set(BUDGET[module]) & set(loaded)) == []
