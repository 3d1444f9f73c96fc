import math
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.reports.svg import Frame, Layer, chart, decimate, log_ticks, nice_ticks

WAVE = [math.sin(i / 40) for i in range(5000)]


def draw(layers: list[Layer], **options: object) -> ET.Element:
    svg = chart(layers, labels=[(0, "a < b")], title="<wave>", shown=lambda v: f"{v:g}", **options)
    return ET.fromstring(svg)  # noqa: S314 (our own output)


def points(element: ET.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in element.attrib["points"].split()]


def test_a_chart_is_well_formed_and_its_texts_are_escaped() -> None:
    root = draw([Layer("area", WAVE, "fill"), Layer("line", WAVE, "main"), Layer("dots", [None] * 4999 + [0.5], "dot")])
    assert root.findtext("title") == "<wave>"
    assert "a < b" in [element.text for element in root.findall("text")]
    assert [len(root.findall(tag)) for tag in ("polyline", "polygon", "circle")] == [1, 1, 1]


def test_a_line_fills_the_plot_from_edge_to_edge() -> None:
    frame = Frame(width=200, height=100, left=20, right=10, top=5, bottom=15)
    root = draw([Layer("line", [0.0, 1.0, 2.0], "main")], frame=frame)
    line = root.find("polyline")
    assert line is not None
    assert points(line) == [(20.0, 85.0), (105.0, 45.0), (190.0, 5.0)]


def test_a_log_chart_puts_equal_factors_at_equal_heights() -> None:
    line = draw([Layer("line", [1.0, 10.0, 100.0], "main")], is_log=True).find("polyline")
    assert line is not None
    heights = [y for _, y in points(line)]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.011)


def test_coordinates_have_two_decimals_and_a_long_series_few_points() -> None:
    line = draw([Layer("line", WAVE, "main")]).find("polyline")
    assert line is not None
    assert len(points(line)) <= 2 * Frame().columns + 2
    assert all(len(number.split(".")[1]) == 2 for number in line.attrib["points"].replace(" ", ",").split(","))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 50))
def test_decimation_keeps_ends_and_extremes_in_order(values: list[float], columns: int) -> None:
    kept = decimate(values, columns=columns)
    chosen = [values[i] for i in kept]
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert (min(chosen), max(chosen)) == (min(values), max(values))
    assert len(kept) <= max(2 * columns + 2, 0)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_ticks_are_few_evenly_spaced_and_enclose_the_values(one: float, two: float) -> None:
    low, high = sorted((one, two))
    ticks = nice_ticks(low, high)
    assert len(ticks) <= 8
    if high - low > 1e-3:
        # A billionth of a step is what float noise may hide; no pixel shows it.
        slack = 1e-8 * (high - low)
        assert ticks[0] <= low + slack
        assert ticks[-1] >= high - slack
        steps = [b - a for a, b in pairwise(ticks)]
        assert max(steps) == pytest.approx(min(steps), rel=1e-4)


def test_ticks_are_the_round_numbers_a_reader_expects() -> None:
    assert nice_ticks(-0.62, 0.0) == [-0.8, -0.6, -0.4, -0.2, 0.0]
    assert nice_ticks(0.0, 1.2) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert log_ticks(0.8, 30.0) == [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]
    assert log_ticks(0.01, 3e4) == [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0]


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [Layer("line", [], "x")],
        [Layer("line", [1.0], "x"), Layer("line", [1.0, 2.0], "y")],
        [Layer("line", [1.0, None], "x")],
        [Layer("line", [1.0, math.nan], "x")],
        [Layer("dots", [None], "x")],
    ],
)
def test_layers_that_cannot_be_drawn_are_refused(layers: list[Layer]) -> None:
    with pytest.raises(InvalidInput):
        draw(layers)


def test_the_logarithm_of_zero_is_refused() -> None:
    with pytest.raises(InvalidInput, match="positive"):
        draw([Layer("line", [0.0, 1.0], "x")], is_log=True)


def test_one_value_and_a_flat_line_are_drawn() -> None:
    assert draw([Layer("line", [3.0], "x")]).find("polyline") is not None
    assert draw([Layer("line", [0.0, 0.0], "x")], is_log=False).find("polyline") is not None
