"""The HTML page: self-contained, escaped, small, and drawn from the JSON alone."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from chandlery.portfolio import Portfolio, Position
from chandlery.reports.risk import RiskInputs, RiskReport, build_risk_report, render_html, to_json_bytes
from chandlery.reports.risk.page.charts import date_labels
from chandlery.reports.risk.page.numbers import amount, percent, probability, quantity

HOSTILE = "<script>alert('x')</script> & \"http\" </title>"
VOID = {"meta", "line", "circle", "polyline", "polygon"}


class Page(HTMLParser):
    """Collects text and checks that every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def inputs(*, sessions: int = 2600, name: str = HOSTILE, source: str = "simulated", gap: bool = False) -> RiskInputs:
    random = np.random.default_rng(3)
    prices = 20 * np.exp(np.cumsum(random.standard_t(4, (sessions, 12)) * 0.01 + 0.0005, axis=0))
    if gap:
        prices[-1, 0] = np.nan
    symbols = tuple(f"S{place:02d}" for place in range(12))
    days = np.datetime64("2015-01-01") + np.arange(sessions)
    return RiskInputs(
        portfolio=Portfolio(name, "USD", 100.0, tuple(Position(symbol, 40.5) for symbol in symbols)),
        as_of=days[-1].item(),
        sessions=days,
        prices=prices,
        symbols=symbols,
        sources=dict.fromkeys(symbols, source),
        code_version="<i>1",
        data_versions={"z": 1, "a": 2},
    )


@pytest.fixture(scope="module")
def report() -> RiskReport:
    return build_risk_report(inputs())


@pytest.fixture(scope="module")
def html(report: RiskReport) -> str:
    return render_html(report)


def test_the_page_is_one_well_formed_file_under_400_kb(html: str) -> None:
    page = parsed(html)
    assert page.tags.count("svg") == 3
    assert len(html.encode()) < 400_000


def test_the_page_runs_nothing_and_refers_to_nothing_outside(html: str) -> None:
    page = parsed(html)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(page.tags)
    assert not {name for name, _ in page.attributes} & {"src", "href", "onclick", "onload", "action"}
    assert "<script" not in html
    assert not re.search(r"https?:|@import|url\(", html)


def test_a_hostile_name_and_source_appear_as_text_only(html: str) -> None:
    assert HOSTILE in "".join(parsed(html).words)
    assert "&lt;script&gt;" in html
    assert "<i>1" not in html


def test_the_stored_json_renders_to_the_same_page(report: RiskReport, html: str) -> None:
    assert render_html(json.loads(to_json_bytes(report))) == html


def test_the_page_shows_every_section(html: str) -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", html)
    assert titles == [
        "Limits",
        "Hypothetical equity",
        "Drawdown",
        "VaR and expected shortfall",
        "Backtest of VaR",
        "Top contributors",
        "Measures",
        "Not computed, and why",
        "Definitions",
        "Lineage",
    ]


def test_headline_figures_are_those_of_the_document(report: RiskReport, html: str) -> None:
    words = "".join(parsed(html).words)
    summary = report["summary"]
    assert summary["nav"]["value"] is not None
    assert summary["var99"]["value"] is not None
    assert f"{summary['nav']['value']:,.0f}" in words
    assert f"{100 * summary['var99']['value']:.2f}%" in words
    assert report["report_id"] in words
    assert "2 smaller positions are in the JSON." in words


def test_simulated_prices_are_named_on_top(html: str) -> None:
    assert "Simulated prices, not market data: S00, S01" in html
    assert "Simulated" not in render_html(build_risk_report(inputs(source="wiki")))


def test_a_report_without_nav_still_renders_and_says_what_is_missing() -> None:
    html = render_html(build_risk_report(inputs(gap=True)))
    words = "".join(parsed(html).words)
    assert "missing input" in words
    assert "Limits that could not be evaluated: R01, R02, R03, R04, R05." in words
    assert "no return history" in words
    assert "<svg" not in html


def test_a_breach_stands_on_top() -> None:
    big = inputs(source="wiki")
    held = Portfolio("Big", "USD", 0.0, (Position("S00", 1e7),))
    html = render_html(
        build_risk_report(
            RiskInputs(
                portfolio=held,
                as_of=big.as_of,
                sessions=big.sessions,
                prices=big.prices,
                symbols=big.symbols,
                sources=big.sources,
                code_version="1",
                data_versions={},
            )
        )
    )
    assert re.search(r'role="alert">Hard limits breached: R01, R03', html)
    assert "1 position, cash" in html


def test_a_short_history_shows_statuses_instead_of_numbers() -> None:
    words = "".join(parsed(render_html(build_risk_report(inputs(sessions=40)))).words)
    assert "insufficient" in words
    assert "too few observations" in words


def test_numbers_read_as_people_write_them() -> None:
    assert [percent(0.01234), amount(1234567.8), amount(-12.3), quantity(40.5), quantity(1200)] == [
        *("1.23%", "1,234,568", "-12.30", "40.5", "1,200")
    ]
    assert [probability(None)[-8:], probability(0.00001), probability(0.5)] == ["-</span>", "&lt; 0.001", "0.500"]


def test_dates_are_labelled_by_year_or_by_month_and_never_crowd() -> None:
    days = [str(day) for day in np.datetime64("2000-01-01") + np.arange(9000)]
    assert [text for _, text in date_labels(days)][:3] == ["2001", "2004", "2007"]
    assert len(date_labels(days)) <= 8
    assert [text for _, text in date_labels(days[:100])] == ["2000-02", "2000-03", "2000-04"]
    assert date_labels(days[:1]) == []
