"""Rules on the numbers of one bar."""

import polars as pl

from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import PRICES, TRADED, Rule, is_sound, offences

_MEASURED = (*PRICES, "volume")
_SLACK = 1e-9
"""Relative slack of price comparisons: float noise of a vendor's own arithmetic."""


_LARGEST = 1e15
"""Beyond it is no price, volume or vwap: the dearest share is at 1e6, the busiest coin at 1e13 a day."""


def _as_text(*columns: str) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String) for name in columns]


def _values_are_finite(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    vwap = pl.col("vwap")
    is_huge = pl.any_horizontal(pl.col(name).abs() > _LARGEST for name in (*_MEASURED, "vwap")).fill_null(value=False)
    bad = pl.col("ts").is_null() | ~is_sound(*_MEASURED) | (vwap.is_not_null() & ~vwap.is_finite()) | is_huge
    return offences(bars, bad, *_as_text("ts", *_MEASURED, "vwap"))


def _prices_are_positive(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    bad = pl.any_horizontal(pl.col(name) <= 0 for name in PRICES) | (pl.col("volume") < 0)
    return offences(bars, bad & is_sound(*_MEASURED), *_MEASURED)


def _high_covers_body(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    body = pl.max_horizontal("open", "close")
    return offences(bars, (pl.col("high") < body - _SLACK * body.abs()) & is_sound(*PRICES), *PRICES)


def _low_covers_body(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    body = pl.min_horizontal("open", "close")
    return offences(bars, (pl.col("low") > body + _SLACK * body.abs()) & is_sound(*PRICES), *PRICES)


def _vwap_lies_within_range(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    # A US listing trades in cents from one dollar up, in hundredths of a cent below (Reg NMS, rule 612).
    tick = pl.when(pl.col("high") >= 1).then(0.01).otherwise(0.0001)
    outside = (pl.col("vwap") < pl.col("low") - tick) | (pl.col("vwap") > pl.col("high") + tick)
    return offences(bars, outside & is_sound("vwap", "low", "high"), "low", "vwap", "high")


def _trade_count_fits_volume(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    count, volume = pl.col("trade_count"), pl.col("volume")
    whole = volume == volume.floor()
    bad = (count < 0) | ((volume > 0) & (count < 1)) | (whole & (count > volume))
    return offences(bars, bad & is_sound("volume"), "volume", "trade_count")


RULES = (
    Rule(
        "values_are_finite",
        1,
        Severity.CRITICAL,
        "There is a ts; open, high, low, close and volume are finite numbers of at most 1e15; vwap is one or absent.",
        _values_are_finite,
    ),
    Rule(
        "prices_are_positive",
        3,
        Severity.CRITICAL,
        "Every price is above zero and volume is not negative.",
        _prices_are_positive,
    ),
    Rule(
        "high_covers_body",
        2,
        Severity.CRITICAL,
        "High is at or above open and close, up to 1e-9 relative.",
        _high_covers_body,
    ),
    Rule(
        "low_covers_body",
        2,
        Severity.CRITICAL,
        "Low is at or below open and close, up to 1e-9 relative.",
        _low_covers_body,
    ),
    Rule(
        "vwap_lies_within_range",
        16,
        Severity.MINOR,
        "Vwap, where published, lies between low and high, give or take a tick.",
        _vwap_lies_within_range,
        asset_classes=TRADED,
    ),
    Rule(
        "trade_count_fits_volume",
        16,
        Severity.MINOR,
        "A bar with volume has a trade; whole shares are not fewer than trades.",
        _trade_count_fits_volume,
        asset_classes=TRADED,
    ),
)
