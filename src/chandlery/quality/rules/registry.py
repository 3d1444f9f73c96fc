"""The rules by name, in the order reports print them."""

from types import MappingProxyType

from chandlery.quality.context import AuditContext
from chandlery.quality.rules import grid, keys, trading, values
from chandlery.quality.rules.rule import Rule

_FAMILIES = {"values": values, "keys": keys, "grid": grid, "trading": trading}

RULES = MappingProxyType({rule.name: rule for family in _FAMILIES.values() for rule in family.RULES})
"""Every rule by name; read-only."""

FAMILIES = MappingProxyType({rule.name: name for name, family in _FAMILIES.items() for rule in family.RULES})
"""Rule name -> family."""


def rules_for(context: AuditContext) -> tuple[Rule, ...]:
    """Return the rules that mean something for a batch."""
    return tuple(rule for rule in RULES.values() if rule.applies_to(context))
