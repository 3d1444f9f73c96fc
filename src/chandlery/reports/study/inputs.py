"""What the report of a study is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from chandlery.errors import InvalidInput

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """The row of the study: what was asked, on which data, by which code.

    `question` are the facts that make the study's identity (JSON values). `metrics` are the kernel metrics of the best
    in sample, those of buy and hold with the prefix `benchmark_`; absent ones count as unknown.
    """

    study_id: str
    strategy: str
    strategy_version: int
    definition_hash: str
    symbol: str
    timeframe: str
    panel_id: str
    first_ts: datetime
    last_ts: datetime
    bars: int
    method: str
    objective: str
    budget: int
    trials: int
    seed: int
    source: str
    code_version: str
    question: Json
    best_params: Json
    metrics: Json


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInputs:
    """Everything the report reads; no clock, no warehouse.

    `evidence` is `Evidence.to_json()`. `definition` has `title`, `doc`, `refs`, `params` (name, lo, hi, step, default),
    `constraints`, `let`, `signals`, `rules` as text, and `lattice`. `curve` has `ts` (ascending, UTC), `equity`,
    `benchmark`, one row per bar. `trades` has `seq`, `entry_ts`, `exit_ts`, `entry_price`, `exit_price`, `net_return`,
    null where open. `periods_per_year` makes ratios annual.

    Raises:
        InvalidInput: for an empty curve, or one whose values are not above or at 0 and finite.
    """

    facts: StudyFacts
    evidence: Json
    definition: Json
    curve: pl.DataFrame
    trades: pl.DataFrame
    periods_per_year: float

    def __post_init__(self) -> None:
        if self.curve.is_empty():
            raise InvalidInput(f"Study {self.facts.study_id} had no equity curve; run it again.")
        values = self.curve.select(pl.col("equity", "benchmark").is_finite().all())
        if not all(values.row(0)):
            raise InvalidInput(f"The equity curve of study {self.facts.study_id} held a value that is not finite.")
