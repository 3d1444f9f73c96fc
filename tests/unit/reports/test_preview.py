import base64
from xml.etree import ElementTree as ET

from chandlery.reports.preview import markdown_table, sparkline_svg, svg_data_uri


def test_a_table_aligns_numbers_right_and_shows_null_as_a_dash() -> None:
    rows = [{"symbol": "AAPL", "vol": 0.123456789}, {"symbol": "BA", "vol": None, "n": 3}]
    assert markdown_table(rows).splitlines() == [
        "| symbol | vol | n |",
        "| --- | ---: | ---: |",
        "| AAPL | 0.123457 | - |",
        "| BA | - | 3 |",
    ]


def test_a_cell_cannot_end_itself_or_open_html() -> None:
    assert markdown_table([{"a|b": "x|y\n`z` <b>&"}]).splitlines()[2] == "| x\\|y \\`z\\` &lt;b&gt;&amp; |"


def test_no_rows_say_so() -> None:
    assert markdown_table([]) == "_no rows_"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (our own output)


def test_a_sparkline_spans_its_box_and_skips_gaps() -> None:
    root = parsed(sparkline_svg([1.0, float("nan"), 3.0, 2.0], width=102, height=22))
    line = root[0]
    assert line.attrib["points"] == "1.00,21.00 51.00,1.00 101.00,11.00"


def test_a_sparkline_of_one_or_equal_values_is_still_a_picture() -> None:
    assert len(parsed(sparkline_svg([1.0]))) == 0
    assert "1.00,16.00" in sparkline_svg([5.0, 5.0])


def test_a_data_uri_carries_the_picture() -> None:
    uri = svg_data_uri("<svg/>")
    assert base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
