"""Bars: fetched, audited and published per window; what fails the audit is held, never shown."""

from typing import Literal

import dagster as dg
from pydantic import Field

from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import BarSource
from chandlery.steps.bars import IngestReceipt, parse_span
from chandlery.steps.ingest import Choices, Via, ingest
from chandlery.store.warehouse import Warehouse
from orchestration.assets.universe import instruments, sessions
from orchestration.failures import RETRY, boundary
from orchestration.metadata import Materialized, picture, table
from orchestration.partitions import DAILY, RANGE, window_of

_GATE = (
    ("batch_fulfils_the_contract", "Great Expectations suite on every batch of the run."),
    ("no_batch_is_held", "No batch had so many faulty bars that all of it was held."),
)


class IngestChoices(dg.Config):
    """Choices of one ingest run."""

    spans: dict[str, str] = Field(
        default_factory=dict,
        description="Symbol -> FIRST...LAST session to ask for, within the run's days; empty: all tracked symbols.",
    )
    only_missing: bool = Field(
        default=False, description="Leave out sessions that a finished window covers; false asks for them again."
    )
    via: Literal["aggregates", "grouped", "flat_files"] = Field(
        default="aggregates",
        description="aggregates: by symbol and window. grouped (1d): all stocks of a session in one call. flat_files: "
        "the vendor's csv.gz tree, read where it is new or was replaced.",
    )


def _specs(name: str) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(check, asset=dg.AssetKey(["raw", name]), description=text) for check, text in _GATE]


def _ingest(
    context: dg.AssetExecutionContext,
    config: IngestChoices,
    warehouse: Warehouse,
    source: BarSource,
    timeframe: Timeframe,
) -> Materialized:
    start, end = window_of(context)
    with boundary(context):
        receipt = ingest(
            source,
            warehouse,
            Choices(
                timeframe=timeframe,
                start=start,
                end=end,
                via=Via(config.via),
                spans={symbol: parse_span(text) for symbol, text in config.spans.items()},
                only_missing=config.only_missing,
                # A re-execution after a crash has another run id; under the root's it goes on where the first one was.
                run_id=context.run.root_run_id or context.run.run_id,
            ),
            progress=lambda progress: context.log.info(progress.text),
        )
    return Materialized(metadata=_metadata(receipt), check_results=_gate(receipt))


def _metadata(receipt: IngestReceipt) -> dict[str, dg.MetadataValue | int | float]:
    rows = [
        {
            "symbol": item.symbol,
            "windows": item.windows,
            "seen": item.rows_seen,
            "new": item.rows_new,
            "revised": item.rows_revised,
            "withdrawn": item.rows_withdrawn,
            "held": item.rows_held,
            "source": item.source,
        }
        for item in receipt.symbols
    ]
    return {
        "dagster/row_count": receipt.total("rows_seen") - receipt.total("rows_held"),
        "rows_new": receipt.total("rows_new"),
        "rows_revised": receipt.total("rows_revised"),
        "rows_withdrawn": receipt.total("rows_withdrawn"),
        "reasons": table([{"reason": reason, "versions": count} for reason, count in receipt.reasons]),
        "sessions_changed": receipt.sessions,
        "windows_suspected_empty": len(receipt.suspected_empty),
        "rows_held": receipt.total("rows_held"),
        "rows_dropped": receipt.rows_dropped,
        "findings": receipt.findings,
        "pages": receipt.pages,
        "requests": receipt.requests,
        "rows_per_second": round(receipt.total("rows_seen") / max(receipt.seconds, 1e-9)),
        "preview": table(rows),
        "plot": picture(receipt.plot),
    }


def _gate(receipt: IngestReceipt) -> list[dg.AssetCheckResult]:
    broken = [item for item in receipt.contract if item.unexpected]
    rows = [
        {"expectation": item.name, "batches": item.batches, "unexpected": item.unexpected, "first": item.first}
        for item in receipt.contract
    ]
    return [
        dg.AssetCheckResult(
            check_name="batch_fulfils_the_contract",
            passed=not broken,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"expectations": table(rows), "rows_held": receipt.total("rows_held")},
        ),
        dg.AssetCheckResult(
            check_name="no_batch_is_held",
            passed=not receipt.blocked,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"held": table([{"window": text} for text in receipt.blocked])},
        ),
    ]


@dg.asset(
    key_prefix="raw",
    group_name="bars",
    kinds={"postgres", "python"},
    owners=["team:data"],
    deps=[instruments, sessions],
    partitions_def=DAILY,
    backfill_policy=RANGE,
    retry_policy=RETRY,
    pool="vendor",
    check_specs=_specs("massive__bars_1m"),
)
def massive__bars_1m(
    context: dg.AssetExecutionContext,
    config: IngestChoices,
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> Materialized:
    """Minute bars as published, unadjusted; `ts` is the bar's open, extended hours included."""
    return _ingest(context, config, warehouse, bar_source, Timeframe.M1)


@dg.asset(
    key_prefix="raw",
    group_name="bars",
    kinds={"postgres", "python"},
    owners=["team:data"],
    deps=[instruments, sessions],
    partitions_def=DAILY,
    backfill_policy=RANGE,
    retry_policy=RETRY,
    pool="vendor",
    check_specs=_specs("massive__bars_1d"),
)
def massive__bars_1d(
    context: dg.AssetExecutionContext,
    config: IngestChoices,
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> Materialized:
    """Day bars as published, unadjusted; `ts` is local midnight of the session."""
    return _ingest(context, config, warehouse, bar_source, Timeframe.D1)


WRITTEN_WITH_BARS = [
    dg.AssetSpec(
        key,
        deps=[massive__bars_1m, massive__bars_1d],
        group_name="bars",
        kinds={"postgres"},
        owners=["team:data"],
        description=text,
    )
    for key, text in (
        (["raw", "massive__quarantine"], "Bars the audit holds, with the rules that hold them."),
        (["ops", "ingest_windows"], "Every window of instrument, timeframe and sessions, with its status."),
        (["ops", "ingests"], "Every publication of a window: source, requests, payload, the instant it was known."),
        (["ops", "bar_sessions"], "Bars by instrument, timeframe and session, and the ingest that changed them last."),
        (["raw", "witness__bars"], "Bars of other publishers, which judge the series and are never served."),
        (["raw", "massive__bars_1m_history"], "Versions of minute bars that were revised or withdrawn."),
        (["raw", "massive__bars_1d_history"], "Versions of day bars that were revised or withdrawn."),
    )
]
