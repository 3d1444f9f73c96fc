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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str, str]]:
    """Return what was asked of the export store, which answers with one stored file."""
    stored = tmp_path / "stored.bin"
    stored.write_bytes(b"content")
    calls: list[tuple[str, str, str]] = []

    def stored_file(study: str, kind: str, *, choice: str) -> Path:
        calls.append((study, kind, choice))
        return stored

    monkeypatch.setattr("chandlery.cli.study_files.stored_file", stored_file)
    return calls


def test_every_kind_of_a_study_prints_the_path_of_its_file(run: Any, asked: list[Any], tmp_path: Path) -> None:
    outcomes = [
        run("export", *words)
        for words in (
            ("pdf", "28e5ab5b"),
            ("json", "28e5ab5b"),
            ("csv", "28e5ab5b"),
            ("parquet", "28e5ab5b", "--what", "evaluations"),
            ("pine", "28e5ab5b", "--choice", "plateau"),
        )
    ]
    assert {(outcome.code, outcome.err) for outcome in outcomes} == {(0, "")}
    assert {outcome.out.replace("\n", "") for outcome in outcomes} == {str(tmp_path / "stored.bin")}
    assert [(kind, choice) for _, kind, choice in asked] == [
        ("pdf", "in_sample"),
        ("json", "in_sample"),
        ("trades_csv", "in_sample"),
        ("evaluations_parquet", "in_sample"),
        ("pine", "plateau"),
    ]


def test_out_is_a_copy_and_what_is_printed(run: Any, asked: list[Any], tmp_path: Path) -> None:
    outcome = run("export", "pdf", "28e5ab5b", "-o", str(tmp_path / "copy.pdf"))
    assert outcome.out.replace("\n", "") == str(tmp_path / "copy.pdf")
    assert (tmp_path / "copy.pdf").read_bytes() == b"content"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["28e5ab5b", "--fee-bps", "5"], "--fee-bps was given with a study, which brings its own"),
        (["sma_cross", "--choice", "plateau"], "only a study has choices"),
    ],
)
def test_options_of_the_other_form_are_refused(run: Any, asked: list[Any], arguments: list[str], said: str) -> None:
    outcome = run("export", "pine", *arguments)
    assert (outcome.code, asked) == (2, [])
    assert said in outcome.err.replace("\n", " ")
