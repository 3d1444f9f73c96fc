"""Rooms look down: the import contracts, and what each process loads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BUDGET = {
    "chandlery.api.app": ("dagster", "great_expectations", "optuna", "pandas", "alembic", "numba"),
    "chandlery.cli": ("dagster", "great_expectations", "optuna"),
    "orchestration.definitions": ("great_expectations", "numba"),
}


def test_the_import_contracts_are_kept(tree: Any) -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=tree.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


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
