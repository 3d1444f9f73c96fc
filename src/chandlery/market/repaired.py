"""Repaired bars beside a new answer: what the source said before the repair is no news, anything else is.

| the source says of a repaired bar            | then                                                      |
|----------------------------------------------|-----------------------------------------------------------|
| what it said before (the same values again, a held row again, again no bar) | the repaired bar stays     |
| the repaired values                          | nothing changes                                           |
| other values, or no bar where it had one     | the source's word wins; the repair is superseded          |
| other values that the audit holds            | they are held, the repaired bar stays published           |
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from chandlery.market.bars import BAR_SCHEMA, TS, VALUE_COLUMNS

ORIGINAL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {**BAR_SCHEMA, "is_absent": pl.Boolean}
"""What stood in place of a repaired bar, several rows a `ts` possible; `is_absent`: nothing, values are null then."""


@dataclass(frozen=True, slots=True, eq=False)
class Upheld:
    """An answer in which repaired bars that it says nothing new about stand as repaired.

    Attributes:
        passed: bars that passed the audit, or stand as repaired, in `BAR_SCHEMA`, ascending.
        held: rows the audit held, without those that had been held before the repair.
        kept: ts of the bars that stand as repaired although the answer differs, ascending.
    """

    passed: pl.DataFrame
    held: pl.DataFrame
    kept: pl.Series


def uphold_repairs(
    known: pl.DataFrame,
    passed: pl.DataFrame,
    held: pl.DataFrame,
    originals: pl.DataFrame,
    *,
    unpublished: Sequence[str] = (),
) -> Upheld:
    """Return the answer with repaired bars in place of what the source had said before they were repaired.

    Null equals null and NaN equals NaN.

    Args:
        known: present bars of the window in `BAR_SCHEMA`, unique by ts.
        passed: bars of the answer that passed the audit, in `BAR_SCHEMA`, unique by ts.
        held: rows of the answer that did not: `BAR_SCHEMA` and more columns.
        originals: of the bars of `known` that stand as repaired, in `ORIGINAL_SCHEMA`.
        unpublished: columns this source never fills; they are not compared.
    """
    if originals.is_empty():
        return Upheld(passed, held, pl.Series("ts", [], dtype=TS))
    key = ["ts", *(name for name in VALUE_COLUMNS if name not in unpublished)]
    said = originals.filter(~pl.col("is_absent"))
    same = passed.join(said, on=key, how="semi", nulls_equal=True)
    news = passed.join(same, on="ts", how="anti")
    still_held = held.join(said, on=key, how="anti", nulls_equal=True, maintain_order="left")
    held_again = held.join(said, on=key, how="semi", nulls_equal=True)
    answered = pl.concat([passed.get_column("ts"), held.get_column("ts")]).unique()
    absent = originals.filter(pl.col("is_absent") & ~pl.col("ts").is_in(answered.implode()))
    again = pl.concat([frame.get_column("ts") for frame in (same, held_again, absent)]).unique()
    standing = known.filter(pl.col("ts").is_in(again.implode())).join(news, on="ts", how="anti")
    others = passed.join(standing, on="ts", how="anti")
    return Upheld(
        passed=pl.concat([others.select(*BAR_SCHEMA), standing.select(*BAR_SCHEMA)]).sort("ts"),
        held=still_held,
        kept=standing.get_column("ts").sort(),
    )
