"""Real closes measured a second time by polars expressions."""

from pathlib import Path

import polars as pl
import pytest

from chandlery.measures import MEASURES

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"


@pytest.fixture(scope="module")
def apple() -> pl.DataFrame:
    if not (TAPES / "AAPL.parquet").exists():
        pytest.skip("the recorded daily tapes are not beside this checkout")
    later = pl.col("split_ratio").reverse().cum_prod().reverse() / pl.col("split_ratio")
    frame = pl.read_parquet(TAPES / "AAPL.parquet").sort("session")
    return frame.with_columns(price=pl.col("close") / later).with_columns(r=pl.col("price").pct_change())


def test_deepest_drawdown_of_apple_agrees_with_a_polars_expression(apple: pl.DataFrame) -> None:
    witness = apple.select((pl.col("price") / pl.col("price").cum_max() - 1).min()).item()
    answer = MEASURES["dd_max"](apple["r"].drop_nulls().to_numpy(), periods_per_year=252)
    assert answer.value == pytest.approx(witness, rel=1e-9)
    assert answer.value is not None
    assert -0.83 < answer.value < -0.80  # April 1997 or 2003 against the peaks of 1991 and 2000


def test_worst_day_of_apple_is_the_profit_warning_of_september_2000(apple: pl.DataFrame) -> None:
    answer = MEASURES["worst"](apple["r"].drop_nulls().to_numpy(), periods_per_year=252)
    assert answer.value == pytest.approx(-0.519, abs=5e-4)
    assert str(apple.sort("r", nulls_last=True)["session"][0]) == "2000-09-29"


def test_volatility_and_skew_of_apple_agree_with_polars(apple: pl.DataFrame) -> None:
    returns = apple["r"].drop_nulls()
    vol = MEASURES["vol"](returns.to_numpy(), periods_per_year=252).value
    skew = MEASURES["skew"](returns.to_numpy(), periods_per_year=252).value
    assert vol == pytest.approx(float(returns.std()) * 252**0.5, rel=1e-10)
    assert skew == pytest.approx(float(returns.skew(bias=True)), rel=1e-9)
