from pathlib import Path

import pytest

from chandlery.errors import ConfigError
from chandlery.portfolio import Portfolio, Position, load_portfolio
from chandlery.risk.limits import DEFAULT_LIMITS

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "portfolio.yaml"
SMALL = "name: Small\npositions:\n  - {symbol: aapl, quantity: 10}\n"


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_portfolio(text)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_the_example_holds_four_stocks_and_its_own_concentration_limit() -> None:
    portfolio = load_portfolio(EXAMPLE)
    assert portfolio.positions == (
        Position("AAPL", 40.0),
        Position("GOOG", 20.0),
        Position("IBM", 110.0),
        Position("MSFT", 550.0),
    )
    assert (portfolio.currency, portfolio.cash, portfolio.benchmark) == ("USD", 5000.0, None)
    limits = {limit.limit_id: (limit.soft, limit.hard) for limit in portfolio.limits}
    assert limits["R03"] == (0.35, 0.40)
    assert limits["R02"] == (1.6, 2.0)


def test_name_and_positions_suffice() -> None:
    assert load_portfolio(SMALL) == Portfolio("Small", "USD", 0.0, (Position("AAPL", 10.0),), DEFAULT_LIMITS, None)


def test_soft_follows_a_new_hard_limit_at_80_percent() -> None:
    limits = load_portfolio(SMALL + "limits: {R04: {hard: 5000}}").limits
    assert (limits[3].soft, limits[3].hard, limits[3].on_breach) == (4000.0, 5000.0, "halt")


def test_shorts_borrowed_cash_and_a_benchmark_are_read() -> None:
    portfolio = load_portfolio(
        "name: n\ncash: -5.5\nbenchmark: spy\npositions: [{symbol: 'X:BTCUSD', quantity: -0.25}]"
    )
    assert (portfolio.cash, portfolio.benchmark) == (-5.5, "SPY")
    assert portfolio.positions == (Position("X:BTCUSD", -0.25),)


def test_every_fault_is_listed_at_once() -> None:
    listed = faults(
        """
name: ""
currency: EUR
cash: .nan
owner: me
benchmark: "two words"
positions:
  - {symbol: AAPL, quantity: 1}
  - {symbol: aapl, quantity: 2}
  - {symbol: IBM, quantity: 0}
  - {symbol: MSFT, quantity: true, side: long}
  - {symbol: 1, quantity: many}
  - GOOG
limits:
  R09: {hard: 1}
  R01: {}
  R02: {hard: 1, soft: 2}
  R03: 0.4
  R05: {hard: .inf}
"""
    )
    expected = [
        "the portfolio: unknown key 'owner'",
        "name: was ''",
        "currency: was 'EUR'",
        "cash: was nan",
        "positions[2].symbol: AAPL is already listed",
        "positions[3].quantity: was 0",
        "positions[4]: unknown key 'side'",
        "positions[4].quantity: was True",
        "positions[5].symbol: was 1",
        "positions[5].quantity: was 'many'",
        "positions[6]: was 'GOOG'",
        "limits: unknown key 'R09'",
        "limits.R01: names neither hard nor soft",
        "limits.R02: soft was 2, hard was 1",
        "limits.R03: was 0.4",
        "limits.R05.hard: was inf",
        "benchmark: was 'two words'",
    ]
    assert len(listed) == len(expected)
    for line, start in zip(listed, expected, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize("text", ["", "[1, 2]", "just words", "name: n", "name: n\npositions: []"])
def test_a_document_that_is_no_portfolio_is_refused(text: str) -> None:
    assert any("positions" in fault for fault in faults(text))


@pytest.mark.parametrize("name", ['"a\\u0007b"', "x" * 121, "7", '"two\\nlines"'])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    assert faults(f"name: {name}\npositions: [{{symbol: A, quantity: 1}}]")[0].startswith("name: was")


def test_a_whole_number_beyond_every_float_is_a_fault_not_a_crash() -> None:
    assert faults(f"name: n\npositions: [{{symbol: A, quantity: 1{'0' * 400}}}]")[0].startswith("positions[1].quantity")


@pytest.mark.parametrize(
    "text",
    ["name: [unclosed", "name: a\nname: b\npositions: []", "name: !!python/name:os.system x", "a: &x [*x, ]\n- b"],
)
def test_text_that_is_no_strict_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_portfolio(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_portfolio(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_portfolio(tmp_path / "latin.yaml")
    (tmp_path / "bad.yaml").write_text("name: n")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_portfolio(tmp_path / "bad.yaml")
