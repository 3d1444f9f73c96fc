"""The pages, read back from the PDF: what the document says is there, whatever is missing from the study."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pdf_reader import pages_of

from chandlery.reports.study import StudyInputs, build_study_report, render_pdf, render_pictures, to_json_bytes
from chandlery.reports.study.bars import histogram, paired_bars
from chandlery.reports.study.parameter_map import parameter_map

Make = Callable[..., StudyInputs]

NOTHING: dict[str, Any] = {
    "ranked": 0,
    "psr": None,
    "luck_sharpe": None,
    "deflated_sharpe": None,
    "deflated_sharpe_effective": None,
    "effective_trials": None,
    "min_track_record": None,
    "pbo": None,
    "pbo_loss": None,
    "reality_check_p": None,
    "spa_consistent_p": None,
    "spa_lower_p": None,
    "spa_upper_p": None,
    "walk_forward": [],
    "cpcv": None,
    "choices": [],
    "heat_map": None,
    "costs": [],
    "word": "nothing",
    "verdict": "Nothing: none could be ranked.",
}


def words(pdf: bytes) -> str:
    return " ".join("\n".join(pages_of(pdf)).split())


def test_every_part_of_the_document_is_on_its_page(inputs_of: Make) -> None:
    pdf = render_pdf(build_study_report(inputs_of()))
    pages = [" ".join(page.split()) for page in pages_of(pdf)]
    assert len(pages) == 6
    # \u2212 is the minus sign, \u00a0 keeps a number and its percent sign together.
    assert "Doubtful: some tests pass, others do not." in pages[0]
    assert "61.7\u00a0%" in pages[0] or "61.7 %" in pages[0]
    for part in ("Moving average cross AAPL", "2014-01-02 to 2016-09-27", "fee 5 bps, slippage 2 bps", "41.4 %"):
        assert part in pages[0]
    for part in ("0.991", "0.962", "at least 0.95", "843", "0.617", "failed", "passed", "7 recombined histories"):
        assert part in pages[1]
    for part in ("fast 13, slow 65", "Plateau", "Sensitivity to costs", "\u221221.0 %", "5.25"):
        assert part in pages[2]
    for part in ("Rolling, 12 folds", "Anchored, 12 folds", "0.0314", "52.3 %", "\u22120.0300"):
        assert part in pages[3]
    assert "The first and last 14 of 30 trades." in pages[4]
    for part in ("crossover(fast_ma, slow_ma)", "fast < slow", "ab" * 32, "chandlery 0.3.0"):
        assert part in pages[5]


def test_pdf_is_the_same_bytes_again_and_in_another_process(inputs_of: Make, tmp_path: Any) -> None:
    report = build_study_report(inputs_of())
    (tmp_path / "report.json").write_bytes(to_json_bytes(report))
    program = (
        "import hashlib, json, sys; from chandlery.reports.study import render_pdf; "
        "print(hashlib.sha256(render_pdf(json.load(open(sys.argv[1])))).hexdigest())"
    )
    asked = [sys.executable, "-c", program, str(tmp_path / "report.json")]
    other = subprocess.run(asked, capture_output=True, text=True, check=True)
    once, again = (hashlib.sha256(render_pdf(report)).hexdigest() for _ in range(2))
    assert once == again == other.stdout.strip()


def test_a_study_that_found_nothing_still_has_its_report(inputs_of: Make) -> None:
    text = words(render_pdf(build_study_report(inputs_of(count=0, **NOTHING))))
    for part in (
        "The data say nothing",
        "no value",
        "No candidate could be ranked",
        "No walk-forward",
        "traded nothing",
    ):
        assert part in text
    assert "None" not in text.replace("None could be ranked", "")


@pytest.mark.parametrize("count", [1, 2, 2_000])
def test_any_number_of_trades_has_room(inputs_of: Make, count: int) -> None:
    text = words(render_pdf(build_study_report(inputs_of(count=count))))
    assert (f"The first and last 14 of {count:,} trades." in text) is (count > 28)
    assert "open" in text


def test_one_parameter_no_map_and_very_long_names_have_room(inputs_of: Make) -> None:
    long = "a_very_long_name_of_a_strategy_" * 4
    inputs = inputs_of(
        heat_map=None,
        facts={"strategy": long, "best_params": {long: 12}, "symbol": "X" * 40},
        definition={
            "title": "Long " * 30,
            "let": {long: "close"},
            "constraints": [],
            "refs": [],
            "params": [{"name": long, "default": 1, "lo": 1, "hi": 9, "step": 1}],
        },
    )
    pages = render_pictures(build_study_report(inputs), ppi=20.0)
    assert all(page.startswith(b"\x89PNG") for page in pages)
    text = words(render_pdf(build_study_report(inputs))).replace("\u200b", "").replace(" ", "")
    assert long in text
    assert "Aheatmaptakestwoparameters" in text


def test_texts_are_shown_as_they_are_and_never_obeyed(inputs_of: Make) -> None:
    nasty = '#panic() <b>*x*</b> $1 \\ " @y'
    text = words(render_pdf(build_study_report(inputs_of(definition={"doc": nasty, "let": {nasty: nasty}}))))
    assert text.count("#panic() <b>*x*</b> $1") >= 2


def test_charts_are_well_formed_and_escape_their_names() -> None:
    name = "<a & b>"
    heat = {"x": name, "y": name, "x_values": [1, 2], "y_values": [3], "values": [[0.5, None]]}
    pictures = [
        parameter_map(heat, {"in_sample": {name: 1.0}}, objective=name),
        paired_bars([(0.1, None), (None, -0.2)], [name, ""], title=name),
        histogram([0.5, 0.5], title=name),
    ]
    roots = [ET.fromstring(picture) for picture in pictures]  # noqa: S314 - our own pictures
    assert [root.findtext("{http://www.w3.org/2000/svg}title") for root in roots] == [f"{name} {name}", name, name]


def test_every_value_of_a_histogram_is_counted_once() -> None:
    values = [-0.31, -0.1, 0.0, 0.1, 0.1, 0.29, 0.7, 0.70001]
    root = ET.fromstring(histogram(values, title="h"))  # noqa: S314 - our own picture
    bars = [float(bar.attrib["height"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    lowest = min(height for height in bars if height > 0.0)
    assert sum(round(height / lowest) for height in bars) == len(values)
