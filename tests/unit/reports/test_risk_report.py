"""The risk report as a document: its figures against other routes, its bytes, its honesty about gaps."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chandlery.errors import InvalidInput
from chandlery.portfolio import Portfolio, Position, equal_weight_book
from chandlery.reports.canonical import canonical
from chandlery.reports.risk import RiskInputs, RiskParameters, RiskReport, build_risk_report, to_json_bytes

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"
SYMBOLS = ("AAPL", "BA", "EBAY", "GE")
DAYS = np.datetime64("2020-01-01") + np.arange(1000)
QUICK = RiskParameters(window=250, backtest_days=50)


def made_up(*, length: int = 1000, **changes: object) -> RiskInputs:
    random = np.random.default_rng(11)
    prices = 50 * np.exp(np.cumsum(random.normal(0.0004, 0.012, (length, 3)), axis=0))
    basis = RiskInputs(
        portfolio=Portfolio(
            "Three", "USD", 1000.0, (Position("AAA", 100.0), Position("BBB", 50.0), Position("CCC", -20.0))
        ),
        as_of=DAYS[length - 1].item(),
        sessions=DAYS[:length],
        prices=prices,
        symbols=("AAA", "BBB", "CCC"),
        sources={"AAA": "wiki", "BBB": "simulated walk", "CCC": "wiki"},
        code_version="1.2.3",
        data_versions={"prices": 4, "bars": 2},
        seed=7,
    )
    return replace(basis, **changes)


@pytest.fixture(scope="module")
def report() -> RiskReport:
    return build_risk_report(made_up())


@pytest.fixture(scope="module")
def quick_id() -> str:
    return build_risk_report(made_up(), parameters=QUICK)["report_id"]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    if not (TAPES / "AAPL.parquet").exists():
        pytest.skip("the recorded daily tapes are not beside this checkout")
    later = pl.col("split_ratio").reverse().cum_prod().reverse() / pl.col("split_ratio")
    frames = [
        pl.read_parquet(TAPES / f"{symbol}.parquet")
        .sort("session")
        .select("session", (pl.col("close") / later).alias(symbol))
        for symbol in SYMBOLS
    ]
    joined = frames[0]
    for other in frames[1:]:
        joined = joined.join(other, on="session", how="full", coalesce=True)
    return joined.sort("session")


@pytest.fixture(scope="module")
def real(frame: pl.DataFrame) -> RiskReport:
    prices = frame.select(pl.col(SYMBOLS).fill_null(float("nan"))).to_numpy()
    return build_risk_report(
        RiskInputs(
            portfolio=equal_weight_book(dict(zip(SYMBOLS, prices[-1].tolist(), strict=True))),
            as_of=frame["session"][-1],
            sessions=frame["session"].to_numpy(),
            prices=prices,
            symbols=SYMBOLS,
            sources=dict.fromkeys(SYMBOLS, "wiki"),
            code_version="test",
            data_versions={"bars": 1},
        )
    )


def test_the_document_has_the_agreed_keys(report: RiskReport) -> None:
    assert set(report) == {
        *("schema_version", "report_id", "portfolio", "as_of", "currency", "lineage", "summary", "metrics", "var"),
        *("backtests", "limits", "contributors", "series", "gaps", "definitions"),
    }


def test_real_figures_agree_with_a_recomputation_in_polars(frame: pl.DataFrame, real: RiskReport) -> None:
    shares = {row["symbol"]: row["quantity"] for row in real["portfolio"]["positions"]}
    last = frame.row(-1, named=True)
    nav = real["portfolio"]["cash"] + sum(shares[symbol] * last[symbol] for symbol in SYMBOLS)
    assert real["summary"]["nav"]["value"] == pytest.approx(nav, rel=1e-9)
    weighted = sum(
        (shares[symbol] * last[symbol] / nav * pl.col(symbol).pct_change() for symbol in SYMBOLS), start=pl.lit(0.0)
    )
    returns = frame.select("session", r=weighted).drop_nulls().tail(2520)
    window = returns["r"].tail(500).sort()
    assert real["summary"]["var99"]["value"] == pytest.approx(-float(window[4]), rel=1e-9)
    assert real["summary"]["es975"]["value"] == pytest.approx(-float(np.mean(window[:13].to_numpy())), rel=1e-9)
    path = (returns["r"] + 1).cum_prod()
    assert real["series"]["equity"][-1] == pytest.approx(float(path[-1]), rel=1e-9)
    assert real["summary"]["dd_max"]["value"] == pytest.approx(float((path / path.cum_max() - 1).min()), rel=1e-9)
    assert real["series"]["sessions"][0] == str(returns["session"][0])
    assert (real["summary"]["grade"], len(real["series"]["equity"])) == ("A", 2520)


def test_real_exceptions_agree_with_a_loop_over_sorted_windows(frame: pl.DataFrame, real: RiskReport) -> None:
    box = real["series"]["backtest"]
    assert box is not None
    assert len(box["returns"]) == 250
    row = next(row for row in real["backtests"] if (row["model"], row["level"]) == ("hs", 0.99))
    seen = sum(r < -bound for r, bound in zip(box["returns"], box["var"], strict=True))
    assert (row["exceptions"], row["n"]) == (seen, 250)
    assert box["sessions"] == [str(day) for day in frame["session"].tail(250)]


def test_contributors_sum_to_es_and_come_largest_first(report: RiskReport) -> None:
    parts = [row["component_es"] for row in report["contributors"]]
    assert all(part is not None for part in parts)
    assert sum(parts) == pytest.approx(report["summary"]["es975"]["value"], rel=1e-8)
    assert parts == sorted(parts, reverse=True)
    assert sum(row["share_of_es"] or 0 for row in report["contributors"]) == pytest.approx(1.0, rel=1e-8)


def test_each_contributor_states_its_source_and_simulated_ones_are_flagged(report: RiskReport) -> None:
    assert {row["symbol"]: row["source"] for row in report["contributors"]}["BBB"] == "simulated walk"
    assert report["summary"]["simulated"] == ["BBB"]


def test_equal_inputs_give_equal_bytes_whatever_the_order_of_symbols(report: RiskReport) -> None:
    plain = made_up()
    order = [2, 0, 1]
    shuffled = made_up(
        symbols=tuple(plain.symbols[i] for i in order),
        prices=plain.prices[:, order],
        portfolio=replace(plain.portfolio, positions=plain.portfolio.positions[::-1]),
        data_versions={"bars": 2, "prices": 4},
    )
    assert to_json_bytes(build_risk_report(shuffled)) == to_json_bytes(report)


def test_prices_after_as_of_and_of_symbols_not_held_change_nothing(report: RiskReport) -> None:
    plain = made_up()
    future = np.vstack([plain.prices, plain.prices[-1:] * 0.1])
    wide = np.hstack([future, future[:, :1]])
    more = made_up(
        prices=wide,
        symbols=(*plain.symbols, "DDD"),
        sources={**plain.sources, "DDD": "wiki"},
        sessions=np.append(DAYS, DAYS[-1] + 1),
    )
    assert to_json_bytes(build_risk_report(more)) == to_json_bytes(report)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: {"prices": np.where(plain.prices == plain.prices[5, 0], 49.99, plain.prices)},
        lambda plain: {"portfolio": replace(plain.portfolio, cash=1000.01)},
        lambda plain: {"portfolio": replace(plain.portfolio, limits=plain.portfolio.limits[:4])},
        lambda _: {"code_version": "1.2.4"},
        lambda _: {"data_versions": {"prices": 5, "bars": 2}},
        lambda _: {"seed": 8},
    ],
    ids=["a restated price", "cash", "limits", "code", "data version", "seed"],
)
def test_any_other_input_is_another_report(quick_id: str, change: Callable[[RiskInputs], dict[str, object]]) -> None:
    assert build_risk_report(made_up(**change(made_up())), parameters=QUICK)["report_id"] != quick_id


def test_bytes_are_sorted_json_without_nan_at_ten_digits(report: RiskReport) -> None:
    content = to_json_bytes(report)
    document = json.loads(content, parse_constant=pytest.fail)
    assert content == json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert document == report
    assert canonical({"a": 1 / 3, "b": -0.0, "c": [123456.7890123]}) == {"a": 0.3333333333, "b": 0.0, "c": [123456.789]}
    assert str(canonical(-0.0)) == "0.0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), date(2020, 1, 1), {1, 2}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        to_json_bytes({"x": value})


def test_a_missing_price_leaves_nav_null_limits_unknown_and_says_why() -> None:
    prices = made_up().prices.copy()
    prices[-1, 1] = np.nan
    report = build_risk_report(made_up(prices=prices), parameters=QUICK)
    summary = report["summary"]
    assert summary["nav"] == {"value": None, "status": "missing_input", "n": 2}
    assert (summary["grade"], summary["limits_unknown"], summary["backtest_tests"]) == ("D", 5, 0)
    items = [row["item"] for row in report["gaps"]]
    assert "value of BBB" in items
    assert "limits R01, R02, R03, R04, R05" in items
    assert report["series"]["equity"] == []


def test_a_position_the_prices_do_not_know_is_missing() -> None:
    held = Portfolio("Odd", "USD", 0.0, (Position("AAA", 1.0), Position("ZZZ", 1.0)), benchmark="SPY")
    report = build_risk_report(made_up(portfolio=held), parameters=QUICK)
    rows = {row["symbol"]: row for row in report["contributors"]}
    assert (rows["ZZZ"]["price"], rows["ZZZ"]["source"]) == (None, "none")
    assert "benchmark measures" in [row["item"] for row in report["gaps"]]


def test_an_excluded_asset_lowers_the_grade_and_marks_every_figure_proxied() -> None:
    prices = made_up().prices.copy()
    prices[900:960, 2] = np.nan
    report = build_risk_report(made_up(prices=prices), parameters=QUICK)
    assert report["summary"]["grade"] == "C"
    assert report["summary"]["var99"]["status"] == report["summary"]["sharpe"]["status"] == "proxied"
    parts = {row["symbol"]: row["component_es"] for row in report["contributors"]}
    assert parts["CCC"] is None
    assert any(row["item"] == "returns of CCC" for row in report["gaps"])


def test_single_gaps_lower_the_grade_to_b_and_are_counted() -> None:
    prices = made_up().prices.copy()
    prices[700, 0] = np.nan
    report = build_risk_report(made_up(prices=prices), parameters=QUICK)
    assert report["summary"]["grade"] == "B"
    assert "2 days of history" in [row["item"] for row in report["gaps"]]
    prices[-2, 0] = np.nan
    late = build_risk_report(made_up(prices=prices), parameters=QUICK)
    assert "return of the as-of session" in [row["item"] for row in late["gaps"]]
    assert late["summary"]["day_pnl"]["status"] == "missing_input"


def test_a_tiny_position_with_a_gap_is_proxied_and_counted() -> None:
    prices = made_up().prices.copy()
    prices[700, 0] = np.nan
    held = Portfolio("Tiny", "USD", 0.0, (Position("AAA", 0.01), Position("BBB", 50.0)))
    report = build_risk_report(made_up(prices=prices, portfolio=held), parameters=QUICK)
    assert "part of 2 days of history" in [row["item"] for row in report["gaps"]]


def test_a_first_session_yields_a_value_and_no_return() -> None:
    report = build_risk_report(made_up(length=1), parameters=QUICK)
    assert report["summary"]["nav"]["status"] == "ok"
    assert report["summary"]["day_pnl"] == {"value": None, "status": "insufficient", "n": 0}
    assert {row["status"] for row in report["metrics"]} == {"insufficient"}


def test_a_book_in_debt_has_no_shares_of_nav() -> None:
    report = build_risk_report(
        made_up(portfolio=Portfolio("Debt", "USD", -1e6, (Position("AAA", 1.0),))), parameters=QUICK
    )
    assert report["summary"]["leverage"]["status"] == report["summary"]["day_return"]["status"] == "infeasible"


def test_returns_that_lean_on_the_day_before_are_flagged() -> None:
    steps = np.resize([0.01, -0.009], 999)
    prices = 50 * np.cumprod(np.concatenate([[1.0], 1 + steps]))[:, None].repeat(3, axis=1)
    report = build_risk_report(made_up(prices=prices), parameters=QUICK)
    flagged = {row["id"] for row in report["metrics"] if row["flags"] == ["autocorrelated"]}
    assert flagged == {"vol", "downside_dev", "sharpe", "sortino"}


def test_levels_and_windows_follow_the_parameters() -> None:
    report = build_risk_report(made_up(), parameters=RiskParameters(levels=(0.9,), window=100, backtest_days=60))
    assert {row["level"] for row in report["var"]} == {0.9, 0.975, 0.99}
    assert report["summary"]["var99"]["status"] == "insufficient"
    assert [row["n"] for row in report["backtests"] if row["level"] == 0.95] == [60] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"as_of": date(2019, 1, 1)},
        {"sessions": DAYS[::-1]},
        {"sessions": DAYS[:10]},
        {"symbols": ("AAA", "AAA", "CCC")},
        {"sources": {"AAA": "wiki"}},
        {"prices": np.zeros((1000, 3))},
    ],
    ids=["as of", "order", "length", "twice", "source", "price"],
)
def test_inputs_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        made_up(**changes)


def test_parameters_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInput):
        RiskParameters(window=0)
