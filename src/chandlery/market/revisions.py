"""Revisions: what a new answer changes in the bars known so far, and why it probably did.

A source revises its bars without saying so. What can be told from the two versions alone:

| reason              | the new version beside the old one                                                     |
|---------------------|----------------------------------------------------------------------------------------|
| `late_trade`        | only grew: more volume, more trades where counted, high not lower, low not higher, same open |
| `split_rebasis`     | all four prices times one ratio, volume by its inverse: the source changed share basis  |
| `vendor_correction` | anything else                                                                          |

`first` is the reason of a bar not known before. `repair` (a repair's values) and `repair_undone` (what stood before a
repair, put back) are decided, never inferred.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from chandlery.market.bars import BAR_SCHEMA, VALUE_COLUMNS

REPAIR, REPAIR_UNDONE = "repair", "repair_undone"
_PRICES = ("open", "high", "low", "close")
_HALF_A_CENT = 0.005
_SMALLEST_RATIO_STEP = 0.01
_VOLUME_TOLERANCE = 0.02
_VANISHING_SHARE = 0.05
_VANISHING_ROWS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What an answer changes.

    Attributes:
        new: bars not known before, in `BAR_SCHEMA`, ascending.
        revised: bars whose values differ, in `BAR_SCHEMA` and `reason`, ascending.
        withdrawn: known bars the answer no longer holds, in `BAR_SCHEMA`, ascending.
        after: all bars of the window once the changes are made, in `BAR_SCHEMA`, ascending.
        vanishes: so many known bars are missing that the answer is more likely cut short than corrected.
    """

    new: pl.DataFrame
    revised: pl.DataFrame
    withdrawn: pl.DataFrame
    after: pl.DataFrame
    vanishes: bool

    @property
    def is_empty(self) -> bool:
        """Whether the answer says what was known."""
        return self.new.is_empty() and self.revised.is_empty() and self.withdrawn.is_empty()

    def touched(self) -> pl.Series:
        """Return the `ts` of every bar that is added, changed or withdrawn."""
        return pl.concat([frame.get_column("ts") for frame in (self.new, self.revised, self.withdrawn)]).unique().sort()


def compare(known: pl.DataFrame, answer: pl.DataFrame, held: pl.Series, *, unpublished: Sequence[str] = ()) -> Changes:
    """Return what `answer` changes in `known`; nulls compare, so an unchanged bar is no change.

    Args:
        known: present bars of the window in `BAR_SCHEMA`, unique by `ts`.
        answer: bars of the same window that passed the audit, in `BAR_SCHEMA`, unique by `ts`.
        held: `ts` of bars the answer holds but the audit does not let through; their known versions stay.
        unpublished: columns this source never fills; where all others are the same, the known value stays.
    """
    if unpublished:
        answer = _with_known(known, answer, unpublished)
    old = known.select("ts", pl.struct(VALUE_COLUMNS).alias("old"))
    both = answer.join(old, on="ts", how="left")
    is_new = pl.col("old").is_null()
    differs = pl.any_horizontal(
        [pl.col(name).ne_missing(pl.col("old").struct.field(name)) for name in VALUE_COLUMNS],
    )
    revised = both.filter(~is_new & differs).with_columns(_reason().alias("reason"))
    withdrawn = known.join(answer, on="ts", how="anti").filter(~pl.col("ts").is_in(held.implode()))
    kept = known.join(answer, on="ts", how="anti").filter(pl.col("ts").is_in(held.implode()))
    return Changes(
        new=both.filter(is_new).select(*BAR_SCHEMA).sort("ts"),
        revised=revised.select(*BAR_SCHEMA, "reason").sort("ts"),
        withdrawn=withdrawn.select(*BAR_SCHEMA).sort("ts"),
        after=pl.concat([answer.select(*BAR_SCHEMA), kept.select(*BAR_SCHEMA)]).sort("ts"),
        vanishes=withdrawn.height > max(_VANISHING_ROWS, _VANISHING_SHARE * known.height),
    )


def _with_known(known: pl.DataFrame, answer: pl.DataFrame, unpublished: Sequence[str]) -> pl.DataFrame:
    published = [name for name in VALUE_COLUMNS if name not in unpublished]
    both = answer.join(known, on="ts", how="left", suffix="_known", maintain_order="left")
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(f"{name}_known")) for name in published])
    kept = [pl.when(same).then(pl.col(f"{name}_known")).otherwise(pl.col(name)).alias(name) for name in unpublished]
    return both.with_columns(kept).select(*BAR_SCHEMA)


def _reason() -> pl.Expr:
    """Return the reason of each revised row; columns are the new values, `old` a struct of the old ones."""
    old = {name: pl.col("old").struct.field(name) for name in VALUE_COLUMNS}
    ratio = pl.col("close") / old["close"]
    # Published prices are rounded to cents, before and after the change of basis.
    slack = _HALF_A_CENT / old["low"] + _HALF_A_CENT / pl.col("low") + 1e-6
    scaled = [((pl.col(name) / old[name] / ratio) - 1).abs() <= slack for name in _PRICES]
    volume_follows = (pl.col("volume") * ratio - old["volume"]).abs() <= _VOLUME_TOLERANCE * old["volume"]
    is_rebased = pl.all_horizontal(*scaled, volume_follows, (ratio - 1).abs() > _SMALLEST_RATIO_STEP)
    only_grew = pl.all_horizontal(
        pl.col("volume") > old["volume"],
        pl.col("high") >= old["high"],
        pl.col("low") <= old["low"],
        pl.col("open") == old["open"],
        # More shares in the same number of trades is a corrected size.
        (pl.col("trade_count") > old["trade_count"]).fill_null(value=True),
    )
    return (
        pl.when(is_rebased)
        .then(pl.lit("split_rebasis"))
        .when(only_grew)
        .then(pl.lit("late_trade"))
        .otherwise(pl.lit("vendor_correction"))
    )
