"""Prices published as panels: once, equal to the prices studies read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chandlery.backtest.panel_files import open_multi_panel, open_panel, published_panels, read_manifest
from chandlery.errors import InvalidInput, NotFound
from chandlery.steps.panels import publish_prices


def test_published_prices_are_those_of_the_warehouse_and_written_once(priced: Any, tmp_path: Path) -> None:
    receipt = publish_prices(priced.warehouse, ["AAPL"], root=tmp_path)
    assert publish_prices(priced.warehouse, ["AAPL"], root=tmp_path) == receipt
    assert published_panels(tmp_path) == (receipt.panel_id,)
    panel, frame = open_panel(tmp_path, receipt.panel_id, is_verified=True), priced.frames["AAPL"]
    assert (panel.symbol, panel.bars) == ("AAPL", receipt.bars)
    np.testing.assert_array_equal(panel.ts, frame["ts"].to_physical().to_numpy())
    manifest = read_manifest(tmp_path, receipt.panel_id)
    assert (manifest.adjustment, manifest.data_version) == ("splits", f"wiki to {frame['ts'].dt.date().max()}")


def test_several_symbols_share_one_clock(priced: Any, tmp_path: Path) -> None:
    names = sorted(priced.frames)[:2]
    receipt = publish_prices(priced.warehouse, names, root=tmp_path)
    panel = open_multi_panel(tmp_path, receipt.panel_id)
    assert (panel.symbols, panel.bars) == (tuple(names), receipt.bars)


def test_symbols_without_prices_are_told(priced: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="ZZZZ has no daily prices"):
        publish_prices(priced.warehouse, ["ZZZZ"], root=tmp_path)
    with pytest.raises(InvalidInput):
        publish_prices(priced.warehouse, ["not a symbol"], root=tmp_path)
    assert published_panels(tmp_path) == ()
