from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from chandlery.backtest import Panel, require_bars
from chandlery.errors import InvalidInput, ResearchError
from chandlery.market.bars import TS, empty_bars

TIMES = np.arange(4, dtype=np.int64) * 60_000_000


def values(**changes: tuple[int, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return four sound bars; a change sets one value of one field."""
    ohlcv = np.array([[10.0] * 4, [12.0] * 4, [9.0] * 4, [11.0] * 4, [5.0] * 4])
    for name, (bar, value) in changes.items():
        ohlcv[["open", "high", "low", "close", "volume"].index(name), bar] = value
    return ohlcv


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"close": (2, np.nan)}, "close of bar 2 .* was nan"),
        ({"open": (1, 0.0)}, "open of bar 1 .* above 0"),
        ({"low": (0, -1.0)}, "low of bar 0"),
        ({"high": (3, np.inf)}, "high of bar 3"),
        ({"volume": (1, -1.0)}, "volume of bar 1 .* not negative"),
    ],
)
def test_unsound_value_is_refused_with_its_place(changes: dict[str, tuple[int, float]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Panel("T", "1m", TIMES, values(**changes))


@pytest.mark.parametrize(
    ("times", "message"),
    [([0, 2, 1, 3], "goes back in time; sort"), ([0, 1, 1, 2], "repeats the time"), ([0, 1, 2], "they are")],
)
def test_bars_out_of_order_or_shape_are_refused(times: list[int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Panel("T", "1m", np.array(times), values())


def test_one_bar_or_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 2"):
        Panel("T", "1m", TIMES[:1], values()[:, :1])
    with pytest.raises(InvalidInput, match="has 0 bars"):
        Panel.from_bars(empty_bars(), symbol="T", timeframe="1m")


def test_frame_becomes_a_panel_with_microsecond_times() -> None:
    stamps = [datetime(2024, 1, 2, 14, minute, tzinfo=UTC) for minute in (30, 31)]
    frame = pl.DataFrame({"ts": stamps, "open": [1, 2], "high": [3, 3], "low": [1, 1], "close": [2, 3]}).with_columns(
        pl.col("ts").cast(TS), volume=pl.lit(7.0)
    )
    panel = Panel.from_bars(frame, symbol="T", timeframe="1m")
    assert panel.ts.tolist() == [1_704_205_800_000_000, 1_704_205_860_000_000]
    assert panel.source("hlc3").tolist() == [2.0, 7 / 3]
    assert panel.source("hl2").tolist() == [2.0, 2.0]
    assert panel.source("ohlc4").tolist() == [7 / 4, 9 / 4]
    assert panel.source("close").tolist() == [2.0, 3.0]


def test_frame_with_nulls_or_missing_columns_is_refused() -> None:
    frame = pl.DataFrame({"ts": [None, None]}, schema={"ts": TS})
    with pytest.raises(InvalidInput, match="lack the columns open, high"):
        Panel.from_bars(frame, symbol="T", timeframe="1m")
    full = frame.with_columns(**dict.fromkeys(("open", "high", "low", "close", "volume"), pl.lit(1.0)))
    with pytest.raises(InvalidInput, match="without ts"):
        Panel.from_bars(full, symbol="T", timeframe="1m")


def test_panel_id_depends_on_every_input_and_on_nothing_else() -> None:
    original = Panel("T", "1m", TIMES, values())
    assert original.panel_id == Panel("T", "1m", TIMES.copy(), values()).panel_id
    others = [
        Panel("U", "1m", TIMES, values()),
        Panel("T", "5m", TIMES, values()),
        Panel("T", "1m", TIMES + 1, values()),
        Panel("T", "1m", TIMES, values(volume=(3, 6.0))),
        original.head(3),
    ]
    assert len({original.panel_id, *(panel.panel_id for panel in others)}) == 6


def test_panel_neither_follows_nor_allows_later_writes() -> None:
    given = values()
    panel = Panel("T", "1m", TIMES, given)
    given[:] = 1.0
    assert panel.field("close")[0] == 11.0
    with pytest.raises(ValueError, match="read-only"):
        panel.ohlcv[0, 0] = 1.0


def test_too_short_a_panel_says_how_many_bars_it_takes() -> None:
    panel = Panel("T", "1m", TIMES, values())
    require_bars(panel, 2)
    with pytest.raises(ResearchError, match="has 4 bars and these parameters need 5"):
        require_bars(panel, 3)
