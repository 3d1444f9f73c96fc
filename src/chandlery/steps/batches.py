"""One batch through the gate: judged by the rules and by Great Expectations, then published or held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from chandlery.log import get_logger
from chandlery.market.bars import BAR_SCHEMA
from chandlery.quality.audit import Audit, audit
from chandlery.quality.context import AuditContext
from chandlery.quality.gx import BatchContract, ContractResult
from chandlery.sources.protocol import BarBatch
from chandlery.steps.planning import PlannedWindow
from chandlery.store.bars import Judged, Published, publish
from chandlery.store.ingest_windows import Window
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One window that went through the gate."""

    planned: PlannedWindow
    source: str
    audit: Audit
    contract: ContractResult
    held: int
    published: Published
    seen: int
    dropped: int
    pages: int
    requests: int
    per_day: pl.DataFrame

    @property
    def is_held(self) -> bool:
        """Whether the batch was held as a whole."""
        return self.published.status == "quarantined"


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A batch with both verdicts on it, ready to be published."""

    planned: PlannedWindow
    batch: BarBatch
    audit: Audit
    contract: ContractResult
    judged: Judged


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a source answered to a planned window.

    Attributes:
        planned: what was asked for.
        batch: the answer.
        unpublished: columns this source does not publish; known values stay with bars that are otherwise the same.
        is_whole_market: the answer held other symbols' bars, so that none for this one is its word, not an outage.
    """

    planned: PlannedWindow
    batch: BarBatch
    unpublished: tuple[str, ...] = ()
    is_whole_market: bool = False


def judge_batches(answers: Sequence[Answer]) -> list[Judgement]:
    """Judge answers, each by itself, by the rules and by the batch contract; nothing is written."""
    contexts = [
        AuditContext(asked.instrument, asked.timeframe, asked.start, asked.end, asked.sessions)
        for asked in (item.planned for item in answers)
    ]
    asked = [(item.batch.bars, context) for item, context in zip(answers, contexts, strict=True)]
    contracts = BatchContract().validate_all(asked)
    judgements = []
    for item, (bars, context), contract in zip(answers, asked, contracts, strict=True):
        verdict = audit(bars, context)
        judged = _judged(item.planned, item.batch, verdict, contract, item.unpublished)
        if item.is_whole_market:
            judged = replace(judged, expects_bars=False)
        judgements.append(Judgement(item.planned, item.batch, verdict, contract, judged))
    return judgements


def publish_batch(warehouse: Warehouse, window: Window, judgement: Judgement) -> Outcome:
    """Publish what passed and hold the rest, in one transaction.

    Raises:
        Conflict: a later attempt owns the window.
    """
    planned, batch = judgement.planned, judgement.batch
    published = publish(warehouse, window, judgement.judged)
    held = batch.bars.height if published.status == "quarantined" else judgement.judged.held.height
    log.info(
        "window_ingested",
        symbol=planned.instrument.symbol,
        timeframe=planned.timeframe.value,
        start=str(planned.start),
        end=str(planned.end),
        status=published.status,
        seen=batch.bars.height,
        new=published.rows_new,
        revised=published.rows_revised,
        withdrawn=published.rows_withdrawn,
        held=held,
    )
    return Outcome(
        planned=planned,
        source=batch.source,
        audit=judgement.audit,
        contract=judgement.contract,
        held=held,
        published=published,
        seen=batch.bars.height,
        dropped=batch.dropped,
        pages=batch.pages,
        requests=batch.attempts,
        per_day=batch.bars.group_by(pl.col("ts").dt.date().alias("day")).len(),
    )


def _judged(
    planned: PlannedWindow, batch: BarBatch, verdict: Audit, contract: ContractResult, unpublished: tuple[str, ...]
) -> Judged:
    rows = batch.bars.select(*BAR_SCHEMA).with_row_index("seq")
    named = _held(verdict, contract)
    if verdict.blocked:
        named = {row: named.get(row, ("batch_is_blocked",)) for row in range(rows.height)}
    rules = pl.DataFrame(
        {"seq": list(named), "rules": [list(names) for names in named.values()]},
        schema={"seq": pl.UInt32, "rules": pl.List(pl.String)},
    )
    held = rows.join(rules, on="seq", how="inner", maintain_order="left")
    passed = rows.join(rules, on="seq", how="anti", maintain_order="left") if named else rows
    return Judged(
        passed=passed.drop("seq").sort("ts"),
        held=held.select("seq", *BAR_SCHEMA, "rules"),
        found=verdict.findings,
        blocked=verdict.blocked,
        source=batch.source,
        request_ids=batch.request_ids,
        payload_sha256=batch.payload_sha256,
        rows_seen=rows.height,
        rows_dropped=batch.dropped,
        pages=batch.pages,
        expects_bars=not planned.sessions.is_empty(),
        unpublished=unpublished,
        unheard=tuple(rule.rule for rule in verdict.statistics if not rule.ran),
    )


def _held(verdict: Audit, contract: ContractResult) -> dict[int, tuple[str, ...]]:
    """Return the rows either judge holds, with the names of the rules, ascending by row."""
    held = dict(zip(verdict.held, verdict.held_rules, strict=True))
    for result in contract.expectations:
        for row in result.rows:
            names = held.get(row, ())
            rule = result.name.partition(":")[0]
            held[row] = names if rule in names else (*names, rule)
    return dict(sorted(held.items()))
