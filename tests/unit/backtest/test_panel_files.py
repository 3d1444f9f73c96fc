"""Panels as files: shared, whole or absent, checked."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from multi_panels import walk_panel

from chandlery.backtest import Panel, evaluate_many, run_portfolio
from chandlery.backtest.execution import Execution
from chandlery.backtest.panel_files import (
    FORMAT,
    open_multi_panel,
    open_panel,
    publish_panel,
    published_panels,
    read_manifest,
)
from chandlery.errors import NotFound, ResearchError
from chandlery.strategies import get_portfolio, get_strategy


def test_published_panel_comes_back_mapped_and_equal(tmp_path: Path, walk_panel: Panel) -> None:
    folder = publish_panel(tmp_path, walk_panel, adjustment="splits", data_version="v7")
    opened = open_panel(tmp_path, walk_panel.panel_id, is_verified=True)
    assert folder.name == walk_panel.panel_id == opened.panel_id
    assert (opened.symbol, opened.timeframe, opened.timezone) == ("TEST", "1d", "UTC")
    np.testing.assert_array_equal(opened.ohlcv, walk_panel.ohlcv)
    np.testing.assert_array_equal(opened.ts, walk_panel.ts)
    maps = Path("/proc/self/maps").read_text()
    assert f"{folder}/ohlcv.npy" in maps
    with pytest.raises(ValueError, match="read-only"):
        opened.ohlcv[0, 0] = 1.0
    manifest = read_manifest(tmp_path, folder.name)
    assert (manifest.bars, manifest.adjustment, manifest.data_version) == (walk_panel.bars, "splits", "v7")


def test_runs_on_mapped_panels_equal_runs_in_memory(tmp_path: Path, walk_panel: Panel) -> None:
    publish_panel(tmp_path, walk_panel)
    strategy, row = get_strategy("sma_cross"), [[10.0, 60.0]]
    mapped = open_panel(tmp_path, walk_panel.panel_id)
    one, other = (evaluate_many(strategy, row, panel, Execution()).metrics for panel in (walk_panel, mapped))
    np.testing.assert_array_equal(one, other)


def test_panels_of_several_symbols_keep_their_gaps(tmp_path: Path) -> None:
    panel = walk_panel(1, bars=400)
    publish_panel(tmp_path, panel)
    opened = open_multi_panel(tmp_path, panel.panel_id, is_verified=True)
    np.testing.assert_array_equal(opened.ohlcv, panel.ohlcv)
    portfolio = get_portfolio("inverse_vol")
    one, other = (run_portfolio(portfolio, {}, bars, Execution()) for bars in (panel, opened))
    np.testing.assert_array_equal(one.equity, other.equity)
    assert one.panel_id == other.panel_id
    with pytest.raises(ResearchError, match="open_multi_panel"):
        open_panel(tmp_path, panel.panel_id)


def test_many_writers_of_one_panel_leave_one_whole_folder(tmp_path: Path) -> None:
    panel = walk_panel(2, bars=2_000)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: publish_panel(tmp_path, panel), range(16)))
    assert set(folders) == {tmp_path / panel.panel_id}
    assert list(tmp_path.iterdir()) == [tmp_path / panel.panel_id]
    open_multi_panel(tmp_path, panel.panel_id, is_verified=True)


def test_a_writer_that_is_killed_leaves_nothing_visible(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from chandlery.backtest import panel_files as files; import numpy as np;"
        "from chandlery.backtest import Panel;"
        "panel = Panel('X', '1d', np.arange(9), np.ones((5, 9)));"
        "files._sha256 = lambda path: (print(panel.panel_id, flush=True), time.sleep(60));"
        "files.publish_panel(pathlib.Path(sys.argv[1]), panel)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    panel_id = writer.stdout.readline().strip()
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=30)
    assert any(tmp_path.iterdir())
    assert published_panels(tmp_path) == ()
    with pytest.raises(NotFound):
        open_panel(tmp_path, panel_id)
    published = publish_panel(tmp_path, Panel("X", "1d", np.arange(9), np.ones((5, 9))))
    assert published_panels(tmp_path) == (published.name,) == (panel_id,)


def test_a_write_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, walk_panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space left"):
        publish_panel(tmp_path, walk_panel)
    assert list(tmp_path.iterdir()) == []


def test_published_panels_are_not_written_again(tmp_path: Path, walk_panel: Panel) -> None:
    folder = publish_panel(tmp_path, walk_panel, data_version="first")
    before = (folder / "manifest.json").stat()
    time.sleep(0.01)
    publish_panel(tmp_path, walk_panel, data_version="second")
    after = (folder / "manifest.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert read_manifest(tmp_path, folder.name).data_version == "first"


@pytest.mark.parametrize("name", ["", "..", "f" * 63, "../" + "f" * 61, "F" * 64, "f" * 64])
def test_ids_that_name_no_panel_are_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match="publish it first"):
        open_panel(tmp_path, name)


def test_damage_is_told_with_the_file_and_what_to_do(tmp_path: Path, walk_panel: Panel) -> None:
    folder = publish_panel(tmp_path, walk_panel)
    prices, manifest = folder / "ohlcv.npy", folder / "manifest.json"
    whole, text = prices.read_bytes(), manifest.read_text()
    prices.write_bytes(whole[:-8] + b"\0" * 8)
    open_panel(tmp_path, folder.name)
    with pytest.raises(ResearchError, match=r"ohlcv\.npy was opened and is damaged: its checksum"):
        open_panel(tmp_path, folder.name, is_verified=True)
    for broken in (whole[:1_000], b"", b"nothing"):
        prices.write_bytes(broken)
        with pytest.raises(ResearchError, match=r"ohlcv\.npy .* publish it again"):
            open_panel(tmp_path, folder.name)
    prices.unlink()
    with pytest.raises(ResearchError, match=r"ohlcv\.npy .* publish it again"):
        open_panel(tmp_path, folder.name, is_verified=True)
    prices.write_bytes(whole)
    for broken_text in (
        text[:50],
        "{}",
        "[]",
        text.replace(folder.name, "0" * 64),
        text.replace('"bars": 9', '"bars": 8'),
    ):
        manifest.write_text(broken_text)
        with pytest.raises(ResearchError, match="damaged"):
            open_panel(tmp_path, folder.name)
    manifest.unlink()
    with pytest.raises(ResearchError, match="it has no manifest"):
        publish_panel(tmp_path, walk_panel)


def test_a_newer_format_is_refused_as_such(tmp_path: Path, walk_panel: Panel) -> None:
    folder = publish_panel(tmp_path, walk_panel)
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": FORMAT + 1, "bars": "many"}))
    with pytest.raises(ResearchError, match="of format 2 and this code reads up to 1; update"):
        open_panel(tmp_path, folder.name)
