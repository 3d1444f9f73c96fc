"""Thresholds as set, refused at start where they cannot work."""

from collections.abc import Mapping

from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.thresholds import Threshold, check_thresholds
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.settings import Settings


def known_thresholds() -> tuple[Threshold, ...]:
    """Return every threshold a rule compares with, each once, by name."""
    series = [threshold for rule in SERIES_RULES.values() for threshold in rule.thresholds]
    venue = [threshold for rule in VENUE_RULES.values() for threshold in rule.thresholds]
    by_name = {threshold.name: threshold for threshold in (*series, *venue)}
    return tuple(by_name[name] for name in sorted(by_name))


def checked_thresholds(settings: Settings) -> Mapping[str, float]:
    """Return the thresholds that are set, once they are known to work.

    Raises:
        ConfigError: one that no rule has, or that lies outside its range; the message names all of them.
    """
    overrides = dict(settings.quality.thresholds)
    check_thresholds(known_thresholds(), overrides)
    return overrides
