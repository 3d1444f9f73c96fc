"""What the registries hold: quality rules, measures, VaR models, limits."""

from collections.abc import Iterator

from chandlery.measures import MEASURES, Status
from chandlery.quality.candles import CHECK as CANDLE_CHECK
from chandlery.quality.candles import RULE as CANDLE_RULE
from chandlery.quality.checks import CHECKS
from chandlery.quality.rules.registry import FAMILIES, RULES
from chandlery.quality.rules.rule import EVERY_CLASS, Rule
from chandlery.quality.series.registry import SERIES_FAMILIES, SERIES_RULES
from chandlery.quality.series.rule import SeriesRule
from chandlery.quality.venue.registry import VENUE_FAMILIES, VENUE_RULES
from chandlery.quality.venue.rule import VenueRule
from chandlery.risk.limits import DEFAULT_LIMITS
from chandlery.risk.models import VAR_MODELS
from docs._generate.tables import code, table


def rules() -> Iterator[str]:
    """Yield the page of quality rules."""
    yield "# Quality rules"
    yield ""
    yield "28 checks are answered by rules. A rule is a sentence that is true of good bars; the gate's look at one"
    yield "batch before it is published, series rules at a published series with its history and witnesses, venue rules"
    yield "at all instruments of a calendar. Severity is cost: critical 1, major 0.5, minor 0.15, info 0 of a bar. How"
    yield "a finding gets its verdict and what it costs: [quality](../explanation/quality.md)."
    yield from ("", "## Checks", "")
    every: list[Rule | SeriesRule | VenueRule] = [*RULES.values(), *SERIES_RULES.values(), *VENUE_RULES.values()]
    names = {number: [rule.name for rule in every if _number(rule) == number] for number in CHECKS}
    names[CANDLE_CHECK].append(CANDLE_RULE)
    rows = [
        (check.number, check.title, check.term.value, " ".join(f"[{code(name)}](#{name})" for name in names[number]))
        for number, check in CHECKS.items()
    ]
    yield from table(("check", "what is looked for", "lowers", "rules"), rows)
    for title, chosen, families in (
        ("Gate", RULES, FAMILIES),
        ("Series", SERIES_RULES, SERIES_FAMILIES),
        ("Venue", VENUE_RULES, VENUE_FAMILIES),
    ):
        yield from ("", f"## {title}")
        for rule in chosen.values():
            yield from _rule(rule, families[rule.name])
    yield from ("", "## Candles", "", f"### {CANDLE_RULE}", "")
    yield "Every candle equals a second roll-up of its minutes: open, high, low, close and counts exactly, sums of"
    yield "whole shares exactly, other sums to 1e-12. It lowers the score of the minutes it stands for."
    yield from ("", f"- check {CANDLE_CHECK}; critical (1); 5m 15m 30m 1h 4h 1d; judged after every build")


def _number(rule: Rule | SeriesRule | VenueRule) -> int:
    return rule.number if isinstance(rule, Rule) else rule.check


def _rule(rule: Rule | SeriesRule | VenueRule, family: str) -> Iterator[str]:
    yield from ("", f"### {rule.name}", "", rule.doc, "")
    facts = [
        f"check {_number(rule)}",
        f"{rule.severity} ({rule.severity.weight:g})",
        f"family {family}",
        " ".join(sorted(rule.timeframes)),
    ]
    if isinstance(rule, VenueRule):
        facts.append(" and ".join(sorted(rule.calendars)))
    else:
        facts.append("all classes" if rule.asset_classes == EVERY_CLASS else " ".join(sorted(rule.asset_classes)))
    if isinstance(rule, Rule):
        facts.append("holds the bar" if rule.is_holding else "publishes the bar")
    yield f"- {'; '.join(facts)}"
    for threshold in () if isinstance(rule, Rule) else rule.thresholds:
        yield (
            f"- threshold {code(threshold.name)}: {threshold.default:g}, within [{threshold.low:g}, "
            f"{threshold.high:g}]. {threshold.doc}"
        )


def measures() -> Iterator[str]:
    """Yield the page of measures, VaR models and limits."""
    yield "# Measures, VaR models, limits"
    yield ""
    lacks = ", ".join(code(status) for status in Status if status not in {Status.OK, Status.PROXIED})
    yield f"A figure that cannot be computed has no value but a status: {lacks}."
    yield from ("", "## Measures of a return series", "")
    head = ("measure", "group", "unit", "fewest returns", "formula")
    yield from table(head, [(code(m.measure_id), m.group, m.unit, m.minimum, m.formula) for m in MEASURES.values()])
    yield from ("", "## VaR and ES models", "")
    yield from ("`a` is the tail probability, 0.01 at 99 %. VaR needs `n a >= 2.5`, ES `n a >= 5`.", "")
    models = [(code(m.model_id), m.minimum, m.formula) for m in VAR_MODELS.values()]
    yield from table(("model", "fewest returns", "formula"), models)
    yield from ("", "## Default limits", "")
    limits = [
        (limit.limit_id, code(limit.metric), f"{limit.soft:,g}", f"{limit.hard:,g}", limit.unit, limit.on_breach)
        for limit in DEFAULT_LIMITS
    ]
    yield from table(("limit", "metric", "soft", "hard", "unit", "on breach"), limits)


def faults() -> Iterator[str]:
    """Yield the page of the stand-in's faults."""
    from chandlery.sources.standin.faults import FAULTS  # noqa: PLC0415 - only this page pays for a web framework

    yield "# Faults of the stand-in"
    yield ""
    yield "What `chandlery provider --faults FILE` can do wrong, and what a client must make of it. A script names a"
    yield "fault by path and match, by request number or by instant; `chandlery provider --help` has the form."
    yield ""
    yield from table(("fault", "promise"), ((f"`{name}`", item.promise) for name, item in sorted(FAULTS.items())))
