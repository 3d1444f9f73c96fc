"""The series rules by name, in the order of their checks; every module of the package with `RULES` is a family."""

from types import MappingProxyType

from chandlery.quality import series
from chandlery.quality.families import families_of
from chandlery.quality.series.rule import SeriesRule
from chandlery.quality.series.view import SeriesView

_FAMILIES = families_of(series, SeriesRule)

SERIES_RULES = MappingProxyType(
    {
        rule.name: rule
        for rule in sorted(
            (rule for rules in _FAMILIES.values() for rule in rules), key=lambda rule: (rule.check, rule.name)
        )
    }
)
"""Every series rule by name; read-only."""

SERIES_FAMILIES = MappingProxyType({rule.name: name for name, rules in _FAMILIES.items() for rule in rules})
"""Rule name -> family."""


def series_rules_for(view: SeriesView) -> tuple[SeriesRule, ...]:
    """Return the rules that mean something for a series."""
    return tuple(rule for rule in SERIES_RULES.values() if rule.applies_to(view))
