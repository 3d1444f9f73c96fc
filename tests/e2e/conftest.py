"""The command line as its user meets it, in a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Product:
    """The command line in a home of its own."""

    def __init__(self, home: Path) -> None:
        # Few trials keep the test short; the count changes no code path (the lattices are larger).
        self.environment = {**os.environ, "CHANDLERY_HOME": str(home), "CHANDLERY_OPTIMIZE__TRIALS": "40"}
        self.environment.pop("POLYGON_API_KEY", None)

    def run(self, *arguments: str, timeout: float = 540) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "chandlery", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self.environment,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json"))
        return found


@pytest.fixture(scope="module")
def product(reachable_dir: Callable[[], Path]) -> Iterator[Product]:
    made = Product(reachable_dir())
    yield made
    made.run("down")
