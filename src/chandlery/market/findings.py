"""The finding frame: what a judge says of bars, one shape from the judge to the store."""

import polars as pl

from chandlery.market.bars import TS

WORKS = "rule_works_"
"""Before the name of a rule, the name of what is found when it raises: that it could not look, over what it should."""

FINDING_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "ts": TS,
    "ts_end": TS,
    "session": pl.Date,
    "last_session": pl.Date,
    "rule": pl.String,
    "check": pl.Int16,
    "severity": pl.String,
    "verdict": pl.String,
    "term": pl.String,
    "evidence": pl.String,
}
"""One row a finding about `[ts, ts_end)`; `evidence` is a JSON object. Null may be `row` (no bar of a batch) and
`ts_end` (one instant). It touches the sessions from `session` to `last_session`, both inclusive."""
