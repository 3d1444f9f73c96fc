"""A proposed repair of bars."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Method(StrEnum):
    """Where the proposed values come from; the ladder is climbed from the top."""

    REFETCH = "refetch"
    FINER = "finer"
    ARITHMETIC = "arithmetic"
    OTHER_SOURCE = "other_source"


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What a finding's bars should be.

    Attributes:
        method: where the values come from.
        is_exact: refetched twice with equal values, or exact by arithmetic: may be applied without a person.
        before: the bars as they are (published, or as held), in `BAR_SCHEMA`, ascending by ts.
        after: the bars as they should be, in `BAR_SCHEMA`, ascending by ts; only bars that change or come anew.
        evidence: the figures behind it: JSON values.
    """

    method: Method
    is_exact: bool
    before: pl.DataFrame
    after: pl.DataFrame
    evidence: Mapping[str, object]
