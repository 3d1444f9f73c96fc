"""The pictures of quality: every score and gap is there, in its colour, and nothing of a name reaches the markup."""

from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

from chandlery.reports.gap_chart import Gap, gap_chart_svg
from chandlery.reports.heat_map import LEVELS, NOT_EXPECTED, heat_map_svg

DAY = date(2024, 1, 2)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 11, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (our own output)


def cells(svg: str) -> dict[str, str]:
    """Return colour by title of every drawn cell."""
    root = parsed(svg)
    found = [(node.find(f"{SVG}title"), node) for node in root.iter(f"{SVG}rect")]
    return {str(title.text): str(node.get("fill")) for title, node in found if title is not None}


def test_each_score_has_the_colour_of_its_level() -> None:
    scores = {
        ("AAA", DAY): 1.0,
        ("AAA", DAY + timedelta(1)): 0.19,
        ("BBB", DAY): 0.5,
        ("BBB", DAY + timedelta(1)): None,
    }
    drawn = cells(heat_map_svg(scores))
    assert drawn == {
        "AAA 2024-01-02: 1.000": LEVELS[5][1],
        "AAA 2024-01-03: 0.190": LEVELS[0][1],
        "BBB 2024-01-02: 0.500": LEVELS[2][1],
        "BBB 2024-01-03: nothing expected": NOT_EXPECTED,
    }


def test_absent_cell_stays_white() -> None:
    assert len(cells(heat_map_svg({("AAA", DAY): 1.0, ("BBB", DAY + timedelta(1)): 1.0}))) == 2


def test_many_sessions_share_a_column_that_shows_the_worst() -> None:
    scores: dict[tuple[str, date], float | None] = {("AAA", DAY + timedelta(k)): 1.0 for k in range(361)}
    scores["AAA", DAY + timedelta(4)] = 0.3
    drawn = cells(heat_map_svg(scores))
    # 361 sessions in columns of three: 121 cells, the second holds days 3 to 5.
    assert len(drawn) == 121
    assert drawn["AAA 2024-01-05 to 2024-01-07: 0.300"] == LEVELS[1][1]


def test_empty_map_says_so() -> None:
    assert "no sessions" in heat_map_svg({})


def test_symbol_cannot_become_markup() -> None:
    assert "<b>" not in heat_map_svg({("<b>", DAY): 1.0})
    gap = Gap("<b>", START, END, "<i>", 1)
    assert "<b>" not in gap_chart_svg([gap], start=START, end=END)
    assert "<i>" not in gap_chart_svg([gap], start=START, end=END)


def test_gap_lies_where_it_was() -> None:
    gap = Gap("AAA", START + timedelta(days=2), START + timedelta(days=4), "halt", 780)
    root = parsed(gap_chart_svg([gap], start=START, end=END))
    (bar,) = [node for node in root.iter(f"{SVG}rect") if node.find(f"{SVG}title") is not None]
    # 10 days are 800 pixels from 90 on: days 2 to 4 are 250 to 410.
    assert (float(str(bar.get("x"))), float(str(bar.get("width")))) == (250.0, 160.0)


def test_short_gap_is_still_seen_and_reasons_have_their_own_colours() -> None:
    minute = Gap("AAA", START, START + timedelta(minutes=1), "unknown", 1)
    other = Gap("BBB", START - timedelta(days=9), START + timedelta(days=1), "halt", 3)
    svg = gap_chart_svg([minute, other], start=START, end=END)
    root = parsed(svg)
    bars = [node for node in root.iter(f"{SVG}rect") if node.find(f"{SVG}title") is not None]
    assert [float(str(node.get("width"))) for node in bars] == [1.5, 80.0]
    assert len({node.get("fill") for node in bars}) == 2


def test_gaps_outside_are_left_out() -> None:
    gap = Gap("AAA", END, END + timedelta(days=1), "unknown", 1)
    assert "no gaps" in gap_chart_svg([gap], start=START, end=END)
