"""Series of Pine functions as PyneCore, an independent runtime checked against TradingView, computes them."""

import os
import tempfile
from collections.abc import Mapping
from datetime import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SCRIPT = '''"""
@pyne
"""
from pynecore.lib import close, high, low, volume, bar_index, hlc3, math, na, nz, plot, script, ta, fixnan, color
from pynecore.types import Series


@script.indicator(title="series")
def main():
{lines}
'''


def pine_series(setup: str, formulas: Mapping[str, str], ohlcv: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return one series per formula over daily bars `[5, n]`; `setup` are lines before the first formula."""
    os.environ["PYNE_SAVE_SCRIPT_TOML"] = "0"  # else settings are written beside the script
    from pynecore.core.script_runner import ScriptRunner  # slow to load, so for these tests only
    from pynecore.types.ohlcv import OHLCV

    lines = [*setup.splitlines(), *(f"plot({formula}, title={name!r})" for name, formula in formulas.items())]
    bars = [OHLCV(index * 86_400, *row) for index, row in enumerate(ohlcv.T.tolist())]
    found: dict[str, list[float]] = {name: [] for name in formulas}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.py"
        path.write_text(SCRIPT.format(lines="\n".join(f"    {line}" for line in lines)), encoding="utf-8")
        runner = ScriptRunner(path, bars, _symbol(), lossless_volume=True, lossless_prices=True)
        for _, plotted in runner.run_iter(copy_results=False):
            for name, values in found.items():
                values.append(float(plotted[name]))
    return {name: np.array(values) for name, values in found.items()}


def _symbol() -> object:
    from pynecore.core.syminfo import SymInfo, SymInfoInterval

    return SymInfo(
        prefix="TEST",
        description="Test",
        ticker="TEST",
        currency="USD",
        period="1D",
        type="stock",
        mintick=0.01,
        pricescale=100,
        minmove=1,
        pointvalue=1.0,
        mincontract=1.0,
        opening_hours=[SymInfoInterval(day=day, start=time(0), end=time(0)) for day in range(1, 8)],
        session_starts=[],
        session_ends=[],
        timezone="UTC",
    )
