"""`chandlery tape`: what a folder holds, and folders that are no tape."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"


def rows(out: str) -> list[list[str]]:
    lines = [line for line in out.splitlines() if "│" in line]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_show_lists_symbols_with_the_days_they_cover(run: Any, tmp_path: Path) -> None:
    (tmp_path / "us_daily").mkdir()
    price = dict.fromkeys(("open", "high", "low", "close"), 10.0)
    frame = pl.DataFrame({"symbol": "GE", "session": [date(2024, 1, 3), date(2024, 1, 2)], **price, "volume": 5.0})
    frame.write_parquet(tmp_path / "us_daily" / "GE.parquet")
    outcome = run("tape", "show", str(tmp_path))
    assert (outcome.code, outcome.err) == (0, "")
    assert rows(outcome.out) == [["GE", "stocks", "-", "2024-01-02 to 2024-01-03"]]


def test_show_of_the_shared_tapes_names_their_spans(run: Any) -> None:
    if not TAPES.is_dir():
        pytest.skip(f"the real tapes are not in {TAPES}")
    found = {row[0]: row[1:] for row in rows(run("tape", "show", str(TAPES)).out)}
    # shared/data/README.md lists files and spans.
    assert found["AAPL"] == ["stocks", "2016-04-15 to 2016-05-13", "1980-12-12 to 2013-12-31"]
    assert found["GE"] == ["stocks", "-", "1962-01-02 to 2013-12-31"]
    assert found["X:BTCUSD"] == ["crypto", "2016-02-09 to 2016-04-19", "-"]


@pytest.mark.parametrize("command", ["ingest", "show"])
@pytest.mark.parametrize("kind", ["absent", "empty", "file", "foreign"])
def test_folder_that_is_no_tape_is_exit_2_before_anything_is_done(
    run: Any, tmp_path: Path, command: str, kind: str
) -> None:
    folder = tmp_path / "folder"
    if kind == "file":
        folder.write_text("no tape")
    elif kind != "absent":
        folder.mkdir()
    if kind == "foreign":
        (folder / "us_daily").mkdir()
        pl.DataFrame({"symbol": ["GE"], "price": [1.0]}).write_parquet(folder / "us_daily" / "GE.parquet")
    home = tmp_path / "home"
    outcome = run("tape", command, str(folder), CHANDLERY_HOME=home)
    assert (outcome.code, outcome.out) == (2, "")
    assert str(folder) in outcome.err.replace(os.linesep, "")
    assert "Traceback" not in outcome.err
    assert not home.exists()
