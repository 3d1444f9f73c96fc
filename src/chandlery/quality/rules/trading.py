"""Rules on whether a bar stands for trades."""

import polars as pl

from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import PRICES, TRADED, Rule, is_sound, offences

_MEASURED = (*PRICES, "volume")


def _is_flat() -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == pl.col("open") for name in ("high", "low", "close"))


def _bar_is_no_filler(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    return offences(bars, (pl.col("volume") == 0) & _is_flat() & is_sound(*_MEASURED), "close")


def _price_moves_with_volume(bars: pl.DataFrame, _: AuditContext) -> pl.DataFrame:
    return offences(bars, (pl.col("volume") == 0) & ~_is_flat() & is_sound(*_MEASURED), *PRICES)


RULES = (
    Rule(
        "bar_is_no_filler",
        15,
        Severity.MINOR,
        "A bar without volume and with one price stands for no trade; candles and completeness do not count it. "
        "The price need not repeat the previous close: 438 of 18,362 fillers of a real tape do not.",
        _bar_is_no_filler,
        asset_classes=TRADED,
    ),
    Rule(
        "price_moves_with_volume",
        14,
        Severity.MINOR,
        "Prices of one bar differ only if something was traded.",
        _price_moves_with_volume,
        asset_classes=TRADED,
    ),
)
