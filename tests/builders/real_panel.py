"""Real panel: recorded daily bars as the tests of numbers read them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chandlery.backtest import Panel

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "us_daily"


def real_panel(symbol: str, bars: int) -> Panel:
    """Return the last adjusted daily bars of `symbol`; skip the test where they are not recorded."""
    path = TAPES / f"{symbol}.parquet"
    if not path.exists():
        pytest.skip("recorded daily bars are not beside this checkout")
    frame = pl.read_parquet(path).tail(bars)
    columns = [frame[f"adj_{name}"].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return Panel(symbol, "1d", frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy(), np.stack(columns))
