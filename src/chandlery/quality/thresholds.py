"""Thresholds: what a rule compares with, and the range in which that is a sensible question.

A rule names its own thresholds, so adding a rule touches one file. Settings may override a default by name
(`CHANDLERY_QUALITY__THRESHOLDS__SPIKE_SIGMAS=10`); what no rule names, or what lies outside its range, is refused at
start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chandlery.errors import ConfigError

NO_OVERRIDES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number a rule compares with.

    Attributes:
        name: unique among all rules, snake case, unit last (`_bps`, `_minutes`, `_sigmas`, `_share`).
        default: holds on any series, by reasoning or by published figures; never fitted to one tape.
        low: smallest sensible value.
        high: largest sensible value.
        doc: one sentence: what it is, why the default.
    """

    name: str
    default: float
    low: float
    high: float
    doc: str

    def of(self, overrides: Mapping[str, float]) -> float:
        """Return the override of this threshold, or its default."""
        return overrides.get(self.name, self.default)


def check_thresholds(known: Iterable[Threshold], overrides: Mapping[str, float]) -> None:
    """Refuse overrides that no rule knows or that lie outside their range.

    Raises:
        ConfigError: one message with every fault, and what would be accepted.
    """
    by_name = {threshold.name: threshold for threshold in known}
    faults = []
    for name, value in sorted(overrides.items()):
        threshold = by_name.get(name)
        if threshold is None:
            faults.append(f"{name} is no threshold (docs/reference/rules.md lists them)")
        elif not threshold.low <= value <= threshold.high:
            faults.append(f"{name} was {value:g}, it lies in [{threshold.low:g}, {threshold.high:g}]")
    if faults:
        raise ConfigError(f"CHANDLERY_QUALITY__THRESHOLDS cannot work: {'; '.join(faults)}.")
