"""Every worker pays for what the app imports."""

import subprocess
import sys

HEAVY = ("dagster", "great_expectations", "optuna", "pandas", "alembic", "numba")


def test_importing_the_app_loads_nothing_heavy() -> None:
    program = f"import chandlery.api.app, sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
