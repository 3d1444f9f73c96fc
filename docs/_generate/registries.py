"""What the registries hold: strategies, quality rules, measures, VaR models, limits."""

from collections.abc import Iterator

import numpy as np

from chandlery.measures import MEASURES, Status
from chandlery.quality.rules.registry import FAMILIES, RULES
from chandlery.quality.rules.rule import EVERY_CLASS
from chandlery.risk.limits import DEFAULT_LIMITS
from chandlery.risk.models import VAR_MODELS
from chandlery.strategies import Strategy, all_strategies, lattice_size, warmup_bars
from docs._generate.tables import code, table


def strategies() -> Iterator[str]:
    """Yield the page of strategies."""
    yield "# Strategies"
    yield ""
    yield "Each is one frozen definition in `src/chandlery/strategies/<family>/<name>.py`. Its search space is the"
    yield "lattice of its parameters; warm-up counts the bars before its first possible signal, with the defaults."
    for strategy in all_strategies().values():
        yield from ("", f"## `{strategy.name}`: {strategy.title}", "", strategy.doc, "")
        yield from table(("family", "version", "signals", "lattice", "warm-up", "after"), [_facts(strategy)])
        rows = [(code(name), p.default, p.lo, p.hi, p.step) for name, p in strategy.params.items()]
        yield from ("", *table(("parameter", "default", "lowest", "highest", "step"), rows))


def _facts(strategy: Strategy) -> tuple[object, ...]:
    defaults = np.array([[float(value) for value in strategy.defaults.values()]])
    return (
        strategy.family,
        strategy.version,
        ", ".join(strategy.signals),
        f"{lattice_size(strategy):,} candidates",
        f"{int(warmup_bars(strategy, defaults)[0])} bars",
        "; ".join(strategy.refs),
    )


def rules() -> Iterator[str]:
    """Yield the page of quality rules."""
    yield "# Quality rules"
    yield ""
    yield "A held bar never becomes a bar: it stays in `raw.massive__quarantine` with the names of its rules. A finding"
    yield "takes its weight of the bar's plausibility. More than 5 % held bars (and more than 3) hold the whole batch."
    yield ""
    head = ("rule", "family", "severity (weight)", "holds", "bars", "classes", "what must be true")
    rows = [
        (
            code(name),
            FAMILIES[name],
            f"{rule.severity} ({rule.weight:g})",
            "yes" if rule.is_holding else "no",
            " ".join(sorted(rule.timeframes)),
            "all" if rule.asset_classes == EVERY_CLASS else " ".join(sorted(rule.asset_classes)),
            rule.doc,
        )
        for name, rule in RULES.items()
    ]
    yield from table(head, rows)


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
