"""The batch contract: the table-shaped rules as a Great Expectations suite.

The only import of Great Expectations, and inside functions: it costs seconds and 200 MB, which only the gate pays.
"""

import warnings
from collections.abc import Mapping
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


class BatchContract:
    """What every batch of bars must look like, before the rules look at each bar."""

    def validate(self, bars: pl.DataFrame, context: AuditContext) -> ContractResult:
        """Judge a batch in `BAR_SCHEMA` columns (nulls, NaN and duplicates allowed), in arrival order.

        The same rows offend as under the polars rules of the same names. A copy of a bar, equal in every column, is
        no offence here: `bar_is_not_repeated` holds it, and the first stays. An empty batch fulfils the contract.
        """
        # Great Expectations and what it imports warn about themselves (`sre_constants` on Python 3.11); nothing
        # a caller could act on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = (
                _batch_definition()
                .get_batch({"dataframe": _as_pandas(bars, context)})
                .validate(
                    _suite(context),
                    result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]},
                )
            )
        stamps = bars["ts"].to_list()
        results = tuple(_read(item.to_json_dict(), stamps) for item in outcome.results)
        ordered = tuple(sorted(results, key=lambda item: item.name))
        rows = sorted({row for item in ordered for row in item.rows})
        return ContractResult(all(item.success for item in ordered), tuple(rows), ordered)


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


def _as_pandas(bars: pl.DataFrame, context: AuditContext) -> Any:  # noqa: ANN401 - pandas is loaded by this alone
    body_top, body_bottom = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
    frame = bars.select(*BAR_SCHEMA).with_row_index("row")
    return (
        frame.unique(list(BAR_SCHEMA), keep="first", maintain_order=True)
        .with_columns(
            symbol=pl.lit(context.instrument.symbol),
            # The same float slack as the rules have, so that both give one verdict.
            body_top=body_top - _SLACK * body_top.abs(),
            body_bottom=body_bottom + _SLACK * body_bottom.abs(),
        )
        .to_pandas()
    )


def _suite(context: AuditContext) -> Any:  # noqa: ANN401 - Great Expectations publishes no types
    import great_expectations as gx  # noqa: PLC0415
    import great_expectations.expectations as gxe  # noqa: PLC0415

    days = (context.end - context.start).days
    most = days * 1440 if context.timeframe is Timeframe.M1 else days
    numbers = (*PRICES, "volume")
    expectations = [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=sorted([*BAR_SCHEMA, "row", "symbol", "body_top", "body_bottom"]),
            meta=_named("columns_are_known"),
        ),
        gxe.ExpectTableRowCountToBeBetween(min_value=0, max_value=most, meta=_named("batch_fits_its_window")),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["symbol", "ts"], meta=_named("key_is_unique")),
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


def _read(item: Mapping[str, Any], stamps: list[datetime | None]) -> ExpectationResult:
    config, result = item["expectation_config"], item["result"]
    rows = tuple(sorted(int(place["row"]) for place in result.get("unexpected_index_list") or []))
    return ExpectationResult(
        name=str(config["meta"]["name"]),
        kind=str(config["type"]),
        success=bool(item["success"]),
        unexpected=len(rows) or int(not item["success"]),
        rows=rows,
        first_ts=stamps[rows[0]] if rows else None,
    )
