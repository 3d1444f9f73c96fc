import numpy as np
import pytest
from multi_panels import DAY, plain_panel

from chandlery.backtest import MultiPanel, Panel
from chandlery.errors import InvalidInput

NAN = float("nan")


def single(symbol: str, days: list[int], closes: list[float], timeframe: str = "1d") -> Panel:
    values = np.array([closes, closes, closes, closes, [1.0] * len(closes)])
    return Panel(symbol, timeframe, np.array(days, dtype=np.int64) * DAY, values)


def test_panels_are_aligned_on_the_union_of_their_times() -> None:
    panel = MultiPanel.from_panels([single("A", [1, 2, 4], [1, 2, 4]), single("B", [2, 3], [20, 30])])
    assert (panel.ts // DAY).tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(panel.field("close"), [[1, 2, NAN, 4], [NAN, 20, 30, NAN]])
    np.testing.assert_array_equal(panel.marks(), [[1, 2, 2, 4], [NAN, 20, 30, 30]])
    assert panel.traded.tolist() == [[True, True, False, True], [False, True, True, False]]
    np.testing.assert_array_equal(panel.panel(1).field("close"), [20, 30])
    assert not panel.ohlcv.flags.writeable


def test_equal_bars_have_equal_ids_and_other_bars_others() -> None:
    one, same = (plain_panel([[1, 2, NAN], [1, 1, 1]], [[1, 2, NAN], [1, 1, 1]]) for _ in range(2))
    other = plain_panel([[1, 2, 3], [1, 1, 1]], [[1, 2, 3], [1, 1, 1]])
    renamed = MultiPanel(("X", "B"), "1d", one.ts, one.ohlcv)
    assert one.panel_id == same.panel_id
    assert len({one.panel_id, other.panel_id, renamed.panel_id}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ts": [0, 2, 1]}, "goes back in time; sort"),
        ({"ts": [0, 1, 1]}, "repeats the time"),
        ({"at": (0, 1, 1), "value": NAN}, "high of bar 1 .* was nan"),
        ({"at": (1, 3, 2), "value": 0.0}, "Panel of B: close of bar 2 .* was 0.0; it must be finite and above 0"),
        ({"at": (1, 0, 0), "value": -1.0}, "open of bar 0"),
        ({"at": (0, 4, 2), "value": -1.0}, "volume of bar 2"),
        ({"symbols": ("A", "A")}, "given twice: A"),
        ({"symbols": ("A",)}, "given 1; at least 2"),
        ({"symbols": ("A", "B", "C")}, "ohlcv .* they are"),
    ],
)
def test_broken_panels_are_refused(change: dict[str, object], message: str) -> None:
    sound = plain_panel([[1, 2, 3], [1, 1, 1]], [[1, 2, 3], [1, 1, 1]])
    ohlcv = sound.ohlcv.copy()
    if "at" in change:
        ohlcv[change["at"]] = change["value"]  # type: ignore[index]
    with pytest.raises(InvalidInput, match=message):
        MultiPanel(change.get("symbols", sound.symbols), "1d", np.array(change.get("ts", sound.ts)), ohlcv)  # type: ignore[arg-type]


def test_a_time_without_any_bar_and_a_symbol_without_bars_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Bar 1 of the panel is no symbol's"):
        plain_panel([[1, NAN, 3], [1, NAN, 1]], [[1, NAN, 3], [1, NAN, 1]])
    with pytest.raises(InvalidInput, match="Panel of B has 0 bars"):
        plain_panel([[1, 2], [NAN, NAN]], [[1, 2], [NAN, NAN]])


def test_panels_of_other_timeframes_do_not_align() -> None:
    with pytest.raises(InvalidInput, match="B is 1h UTC and A 1d UTC"):
        MultiPanel.from_panels([single("A", [1, 2], [1, 2]), single("B", [1, 2], [1, 2], timeframe="1h")])
