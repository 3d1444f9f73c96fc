"""The venue rules by name, in the order of their checks; every module of the package with `RULES` is a family."""

from types import MappingProxyType

from chandlery.quality import venue
from chandlery.quality.families import families_of
from chandlery.quality.venue.rule import VenueRule
from chandlery.quality.venue.view import VenueView

_FAMILIES = families_of(venue, VenueRule)

VENUE_RULES = MappingProxyType(
    {
        rule.name: rule
        for rule in sorted(
            (rule for rules in _FAMILIES.values() for rule in rules), key=lambda rule: (rule.check, rule.name)
        )
    }
)
"""Every venue rule by name; read-only."""

VENUE_FAMILIES = MappingProxyType({rule.name: name for name, rules in _FAMILIES.items() for rule in rules})
"""Rule name -> family."""


def venue_rules_for(view: VenueView) -> tuple[VenueRule, ...]:
    """Return the rules that mean something for a venue."""
    return tuple(rule for rule in VENUE_RULES.values() if rule.applies_to(view))
