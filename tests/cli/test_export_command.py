"""`chandlery export pine`: the script of a strategy, on standard output or in a file."""

from pathlib import Path
from typing import Any

import pytest

from chandlery.backtest.execution import Costs, Execution, Mode
from chandlery.reports.pine import to_pine
from chandlery.strategies import Sides, get_strategy

OPTIONS = ("--fee-bps", "5", "--slippage-ticks", "2", "--capital", "5000", "--tick", "0.05", "--qty", "1")


def test_the_script_is_that_of_the_chosen_parameters_and_execution(run: Any, tmp_path: Path) -> None:
    asked = ("export", "pine", "sma_cross", "--param", "fast=20", "--sides", "both", *OPTIONS)
    printed = run(*asked)
    written = run(*asked, "--out", str(tmp_path / "sma.pine"))
    execution = Execution(
        mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.0005, slippage_ticks=2), capital=5_000.0, tick=0.05, lot=1.0
    )
    assert (printed.code, printed.err, written.code, written.out) == (0, "", 0, "")
    assert printed.out == to_pine(get_strategy("sma_cross"), {"fast": 20}, execution)
    assert (tmp_path / "sma.pine").read_text() == printed.out
    assert [path.name for path in tmp_path.iterdir()] == ["sma.pine"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["pairs_zscore"], 7, "not_exportable: pairs_zscore trades several symbols"),
        (["sma_cros"], 7, "near matches are sma_cross"),
        (["sma_cross", "--param", "fast=900"], 7, "fast: was 900; it lies between 10 and 200"),
        (["sma_cross", "--fee-bps", "-5"], 2, "fee was -5 bps"),
        (["sma_cross", "--slippage-ticks", "-1"], 2, "Slippage was -1 ticks"),
        (["sma_cross", "--out", "absent/sma.pine"], 2, "could not be written"),
    ],
)
def test_what_cannot_be_exported_says_why(run: Any, arguments: list[str], code: int, said: str) -> None:
    outcome = run("export", "pine", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
