"""The 28 checks: a rule of the gate, of a series, of a venue or of candles answers each, and no two share a name."""

from itertools import chain

from chandlery.quality import candles
from chandlery.quality.checks import CHECKS
from chandlery.quality.rules.registry import RULES
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.thresholds import check_thresholds
from chandlery.quality.venue.registry import VENUE_RULES

JUDGED = [*SERIES_RULES.values(), *VENUE_RULES.values()]


def test_rules_together_answer_all_checks() -> None:
    answered = {rule.number for rule in RULES.values()} | {rule.check for rule in JUDGED} | {candles.CHECK}
    assert answered == set(CHECKS)


def test_no_two_rules_share_a_name() -> None:
    names = [*RULES, *SERIES_RULES, *VENUE_RULES, candles.RULE]
    assert sorted(names) == sorted(set(names))


def test_no_two_thresholds_share_a_name() -> None:
    # Two rules may compare with one and the same number.
    distinct = set(chain.from_iterable(rule.thresholds for rule in JUDGED))
    names = [threshold.name for threshold in distinct]
    assert sorted(names) == sorted(set(names))


def test_every_default_is_accepted_as_a_setting() -> None:
    known = list(chain.from_iterable(rule.thresholds for rule in JUDGED))
    check_thresholds(known, {threshold.name: threshold.default for threshold in known})


def test_checks_are_numbered_without_a_gap() -> None:
    assert list(CHECKS) == list(range(1, 29))
