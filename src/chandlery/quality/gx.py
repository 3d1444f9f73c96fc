"""The batch contract: the table-shaped rules as a Great Expectations suite.

The only import of Great Expectations, and inside functions: it costs seconds and 200 MB, which only the gate pays.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext
from chandlery.quality.rules.rule import PRICES

_LARGEST = 1.7976931348623157e308
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation on one batch.

    Attributes:
        name: the sentence of the rule it states, or of its own, with the column where there are several.
        kind: Great Expectations' name of it.
        success: whether the batch fulfils it.
        unexpected: number of offending rows; 1 when the table as a whole offends.
        rows: the offending rows, ascending; empty for an expectation on the whole table.
        first_ts: ts of the first of them, None without one.
    """

    name: str
    kind: str
    success: bool
    unexpected: int
    rows: tuple[int, ...]
    first_ts: datetime | None


@dataclass(frozen=True, slots=True)
class ContractResult:
    """The verdict of Great Expectations on one batch; `rows` are all offending rows, ascending."""

    success: bool
    rows: tuple[int, ...]
    expectations: tuple[ExpectationResult, ...]


Asked = tuple[pl.DataFrame, AuditContext]
"""A batch in `BAR_SCHEMA` columns (nulls, NaN and duplicates allowed), in arrival order, and what it was asked for."""

_WHOLE_BATCH = "batch_fits_its_window"
_EVERY_BATCH = "columns_are_known"
_ROW_BY_ROW = {"result_format": "COMPLETE", "unexpected_index_column_names": ["batch", "row"]}


class BatchContract:
    """What every batch of bars must look like, before the rules look at each bar."""

    def validate(self, bars: pl.DataFrame, context: AuditContext) -> ContractResult:
        """Judge one batch; see `validate_all`."""
        return self.validate_all([(bars, context)])[0]

    def validate_all(self, asked: Sequence[Asked]) -> tuple[ContractResult, ...]:
        """Judge batches, each by itself but all in one validation: one costs 0.07 s whatever its rows.

        The same rows offend as under the polars rules of the same names. A copy of a bar, equal in every column, is
        no offence here: `bar_is_not_repeated` holds it, and the first stays. An empty batch fulfils the contract.
        """
        if not asked:
            return ()
        # Great Expectations and what it imports warn about themselves (`sre_constants` on Python 3.11); nothing
        # a caller could act on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batch = _batch_definition().get_batch({"dataframe": _as_pandas(asked)})
            # Which rows offend is asked for only if some do: it takes as long again as whether any does.
            outcome = batch.validate(_suite(), result_format="BOOLEAN_ONLY")
            if not outcome.success:
                outcome = batch.validate(_suite(), result_format=_ROW_BY_ROW)
        items = sorted((item.to_json_dict() for item in outcome.results), key=_name_of)
        offenders = [_offenders(item) for item in items]
        return tuple(_result(place, bars, items, offenders) for place, (bars, _) in enumerate(asked))


@cache
def _batch_definition() -> Any:  # noqa: ANN401 - Great Expectations publishes no types
    """One ephemeral context per process: building it costs more than validating a batch."""
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    return (
        context.data_sources.add_pandas("batches")
        .add_dataframe_asset("bars")
        .add_batch_definition_whole_dataframe("whole")
    )


def _as_pandas(asked: Sequence[Asked]) -> Any:  # noqa: ANN401 - pandas is loaded by this alone
    body_top, body_bottom = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
    batches = [
        _without_copies(bars.select(*BAR_SCHEMA).with_row_index("row")).with_columns(
            batch=pl.lit(place),
            symbol=pl.lit(context.instrument.symbol),
            rows=pl.len(),
            most=pl.lit(_most(context)),
            # The same float slack as the rules have, so that both give one verdict.
            body_top=body_top - _SLACK * body_top.abs(),
            body_bottom=body_bottom + _SLACK * body_bottom.abs(),
        )
        for place, (bars, context) in enumerate(asked)
    ]
    return pl.concat(batches).to_pandas()


def _without_copies(batch: pl.DataFrame) -> pl.DataFrame:
    if batch["ts"].n_unique() == batch.height:
        return batch
    return batch.unique(list(BAR_SCHEMA), keep="first", maintain_order=True)


def _most(context: AuditContext) -> int:
    days = (context.end - context.start).days
    return days * 1440 if context.timeframe is Timeframe.M1 else days


@cache
def _suite() -> Any:  # noqa: ANN401 - Great Expectations publishes no types
    import great_expectations as gx  # noqa: PLC0415
    import great_expectations.expectations as gxe  # noqa: PLC0415

    numbers = (*PRICES, "volume")
    expectations = [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=sorted([*BAR_SCHEMA, "batch", "row", "symbol", "rows", "most", "body_top", "body_bottom"]),
            meta=_named(_EVERY_BATCH),
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="most", column_B="rows", or_equal=True, meta=_named(_WHOLE_BATCH)
        ),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["batch", "symbol", "ts"], meta=_named("key_is_unique")),
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=name, meta=_named("values_are_present", name))
            for name in ("ts", *numbers)
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=name, min_value=0, strict_min=True, max_value=_LARGEST, meta=_named("prices_are_positive", name)
            )
            for name in PRICES
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="volume", min_value=0, max_value=_LARGEST, meta=_named("prices_are_positive", "volume")
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="high", column_B="body_top", or_equal=True, meta=_named("high_covers_body")
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="body_bottom", column_B="low", or_equal=True, meta=_named("low_covers_body")
        ),
    ]
    return gx.ExpectationSuite(name="bars", expectations=expectations)


def _named(rule: str, column: str | None = None) -> dict[str, str]:
    return {"name": f"{rule}:{column}" if column else rule}


def _name_of(item: Mapping[str, Any]) -> str:
    return str(item["expectation_config"]["meta"]["name"])


def _offenders(item: Mapping[str, Any]) -> dict[int, list[int]]:
    """Return the offending rows by batch."""
    rows: dict[int, list[int]] = {}
    for place in item["result"].get("unexpected_index_list") or []:
        rows.setdefault(int(place["batch"]), []).append(int(place["row"]))
    return rows


def _result(
    place: int, bars: pl.DataFrame, items: list[Mapping[str, Any]], offenders: list[dict[int, list[int]]]
) -> ContractResult:
    expectations = []
    for item, found in zip(items, offenders, strict=True):
        name = _name_of(item)
        mine = tuple(sorted(found.get(place, [])))
        success = bool(item["success"]) if name == _EVERY_BATCH else not mine
        # A batch too large for its window offends as a whole; none of its rows is to blame.
        rows = () if name == _WHOLE_BATCH else mine
        expectations.append(
            ExpectationResult(
                name=name,
                kind=str(item["expectation_config"]["type"]),
                success=success,
                unexpected=len(rows) or int(not success),
                rows=rows,
                first_ts=bars["ts"][rows[0]] if rows else None,
            )
        )
    every = sorted({row for item in expectations for row in item.rows})
    return ContractResult(all(item.success for item in expectations), tuple(every), tuple(expectations))
