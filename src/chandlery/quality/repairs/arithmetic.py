"""Repairs by exact arithmetic: another unit, another share basis."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

_PRICES = ("open", "high", "low", "close", "vwap")
_TRUSTED = frozenset({"bar", "currency", "timeframe", "source"})
"""What decides beyond doubt which of two units is right."""
_CLEAR_SHARE = 0.75
"""A unit that so many of the bars have is right."""


def other_unit(view: SeriesView, finding: Mapping[str, object], facts: Mapping[str, object]) -> Proposal | None:
    """Return the bars of a unit finding with the wrong prices divided by its factor; volume stays.

    Exact when confirmed and the right unit is beyond doubt. None if the evidence names no factor, or if the result
    would not be a bar.
    """
    factor, fields = facts.get("factor"), str(facts.get("fields", "")).split(",")
    if not isinstance(factor, int | float) or factor <= 0 or not set(fields) <= set(_PRICES):
        return None
    exact = Fraction(factor).limit_denominator(1000)
    whole = set(fields) >= {"open", "high", "low", "close"}
    scaled = dict.fromkeys([*fields, "vwap"] if whole else fields, 1 / exact)
    share = facts.get("right_share", 0.0)
    is_clear = facts.get("decided_by") in _TRUSTED or (isinstance(share, float) and share >= _CLEAR_SHARE)
    is_cell = facts.get("bars") == 1 and not whole
    return _scaled(view, finding, scaled, is_exact=is_clear or is_cell, evidence={"price_divided_by": float(factor)})


def other_basis(view: SeriesView, finding: Mapping[str, object], facts: Mapping[str, object]) -> Proposal | None:
    """Return the bars of a share basis finding on the basis of the others: prices by the ratio, volume inversely.

    Exact when confirmed and the whole span is in view: one that begins before the view would be mended in part, and
    have two bases still. None if the evidence names no ratio.
    """
    split_from, split_to, power = (facts.get(name) for name in ("split_from", "split_to", "power"))
    if not (isinstance(split_from, int) and isinstance(split_to, int) and isinstance(power, int)):
        return None
    if split_from <= 0 or split_to <= 0:
        return None
    ratio = Fraction(split_to, split_from) ** power
    scaled = {**dict.fromkeys(_PRICES, 1 / ratio), "volume": ratio}
    begins = view.listed_on is not None and view.marked["session"][0] <= view.listed_on
    is_whole = begins or not facts.get("open_start")
    evidence = {
        "price_times": [ratio.denominator, ratio.numerator],
        "volume_times": [ratio.numerator, ratio.denominator],
        "is_whole_span_in_view": is_whole,
    }
    return _scaled(view, finding, scaled, is_exact=is_whole, evidence=evidence)


def _scaled(
    view: SeriesView,
    finding: Mapping[str, object],
    scaled: Mapping[str, Fraction],
    *,
    is_exact: bool,
    evidence: Mapping[str, object],
) -> Proposal | None:
    start, end = finding["ts"], finding.get("ts_end")
    if not isinstance(start, datetime):
        return None
    place = (pl.col("ts") >= start) & (pl.col("ts") < end) if isinstance(end, datetime) else pl.col("ts") == start
    before = view.bars.filter(place)
    # Multiplied first, divided last: rounded once where the product is exact.
    changed = [(pl.col(name) * by.numerator / by.denominator).alias(name) for name, by in scaled.items()]
    after = before.with_columns(changed).select(*BAR_SCHEMA)
    covers = (pl.col("high") >= pl.max_horizontal("open", "close") * (1 - 1e-9)) & (
        pl.col("low") <= pl.min_horizontal("open", "close") * (1 + 1e-9)
    )
    was_sound = before.select(covers.all()).item()
    if before.is_empty() or (was_sound and not after.select(covers.all()).item()):
        return None
    is_proven = finding.get("verdict") == Verdict.CONFIRMED.value
    return Proposal(Method.ARITHMETIC, is_exact and is_proven, before, after, evidence)
