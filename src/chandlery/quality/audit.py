"""The audit of a batch: which bars pass, which are held, and why."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import FINDING_SCHEMA, OFFENCE_SCHEMA, Severity
from chandlery.quality.rules.registry import rules_for
from chandlery.quality.rules.rule import Rule
from chandlery.quality.verdicts import Verdict

_BLOCKING_SHARE = 0.05
_BLOCKING_ROWS = 3


@dataclass(frozen=True, slots=True)
class RuleStatistics:
    """What one rule found in one batch; `ran` is false when it could not be evaluated."""

    rule: str
    severity: Severity
    findings: int
    ran: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict on a batch.

    Attributes:
        findings: in `FINDING_SCHEMA`, by ts and rule; at most one per (ts, rule), the first row's.
        held: rows that may not become bars, ascending; all other rows passed.
        held_rules: for each held row the names of the rules that hold it.
        passed: the other rows in `BAR_SCHEMA`, ascending and unique by ts; empty when blocked.
        blocked: so much was held that the batch as a whole is not believed.
        statistics: one per applicable rule.
    """

    findings: pl.DataFrame
    held: tuple[int, ...]
    held_rules: tuple[tuple[str, ...], ...]
    passed: pl.DataFrame
    blocked: bool
    statistics: tuple[RuleStatistics, ...]


def audit(bars: pl.DataFrame, context: AuditContext, *, rules: Iterable[Rule] | None = None) -> Audit:
    """Judge a batch in arrival order by every applicable rule.

    A bar with a critical finding is held, and so are copies of a bar. More than 5 % held (and more than 3 rows)
    block the batch. A rule that cannot be evaluated becomes a major finding about itself at the window's start.

    Args:
        bars: the columns of `BAR_SCHEMA`; nulls, NaN, duplicates and any order are allowed.
        context: instrument, timeframe, window and sessions.
        rules: instead of the registry's.

    Raises:
        InvalidInput: a column is missing or of another type.
    """
    _check_columns(bars)
    batch = bars.select(*BAR_SCHEMA).with_row_index("row")
    chosen = rules_for(context) if rules is None else tuple(rule for rule in rules if rule.applies_to(context))
    statistics, found, holding = [], list[pl.DataFrame](), list[pl.DataFrame]()
    for rule in chosen:
        offences, ran = _evaluate(rule, batch, context)
        statistics.append(RuleStatistics(rule.name, rule.severity, offences.height, ran))
        if offences.is_empty():
            continue
        named = _named(offences, rule, context, ran=ran)
        found.append(named)
        if rule.is_holding and ran:
            holding.append(named.select("row", "rule").drop_nulls("row"))
    held = _held(holding)
    blocked = held.height > max(_BLOCKING_ROWS, _BLOCKING_SHARE * bars.height)
    passed = batch.clear() if blocked else batch
    if held.height and not blocked:
        passed = batch.join(held, on="row", how="anti")
    return Audit(
        findings=_first_of_each(found),
        held=tuple(held["row"].to_list()),
        held_rules=tuple(tuple(names) for names in held["rule"].to_list()),
        passed=passed.drop("row").sort("ts"),
        blocked=blocked,
        statistics=tuple(statistics),
    )


def _check_columns(bars: pl.DataFrame) -> None:
    wrong = {name: bars.schema.get(name) for name, dtype in BAR_SCHEMA.items() if bars.schema.get(name) != dtype}
    if wrong:
        raise InvalidInput(f"Bars were audited with columns {wrong}; they must be those of BAR_SCHEMA.")


def _evaluate(rule: Rule, batch: pl.DataFrame, context: AuditContext) -> tuple[pl.DataFrame, bool]:
    try:
        return rule.check(batch, context), True
    except pl.exceptions.PolarsError as error:
        text = pl.Series([str(error).splitlines()[0] if str(error) else type(error).__name__])
        failure = pl.DataFrame({"row": [None], "ts": [context.first_instant()], "error": text})
        evidence = pl.struct("error").struct.json_encode().alias("evidence")
        return failure.select("row", "ts", evidence).cast(dict(OFFENCE_SCHEMA)), False  # type: ignore[arg-type]


def _named(offences: pl.DataFrame, rule: Rule, context: AuditContext, *, ran: bool) -> pl.DataFrame:
    severity = rule.severity if ran else Severity.MAJOR
    verdict = rule.verdict if ran else Verdict.SUSPECTED
    return offences.select(
        "row",
        pl.col("ts").fill_null(context.first_instant()),
        pl.lit(None, dtype=TS).alias("ts_end"),
        "evidence",
    ).select(
        "row",
        "ts",
        "ts_end",
        context.session_date().alias("session"),
        context.session_date().alias("last_session"),
        pl.lit(rule.name).alias("rule"),
        pl.lit(rule.number, dtype=pl.Int16).alias("check"),
        pl.lit(severity.value).alias("severity"),
        pl.lit(verdict.value).alias("verdict"),
        pl.lit(rule.term.value).alias("term"),
        "evidence",
    )


def _first_of_each(found: list[pl.DataFrame]) -> pl.DataFrame:
    if not found:
        return pl.DataFrame(schema=FINDING_SCHEMA)
    return pl.concat(found).sort("ts", "rule", "row").unique(["ts", "rule"], keep="first", maintain_order=True)


def _held(holding: list[pl.DataFrame]) -> pl.DataFrame:
    if not holding:
        return pl.DataFrame(schema={"row": pl.UInt32, "rule": pl.List(pl.String)})
    frame = pl.concat(holding)
    return frame.group_by("row").agg(pl.col("rule").unique().sort()).sort("row")
