"""Verdicts: no vote, no confirmation; contradiction stays a suspicion; an explanation ends the question."""

import pytest

from chandlery.errors import ConfigError
from chandlery.quality.checks import CHECKS
from chandlery.quality.thresholds import Threshold, check_thresholds
from chandlery.quality.verdicts import Says, Verdict, Vote, verdict_of

DEFECT, TRUE, EXPLAINED = (Vote("volume", says) for says in Says)


@pytest.mark.parametrize(
    ("votes", "verdict"),
    [
        ((), Verdict.SUSPECTED),
        ((DEFECT,), Verdict.CONFIRMED),
        ((DEFECT, DEFECT), Verdict.CONFIRMED),
        ((TRUE,), Verdict.TRUE_MOVE),
        ((TRUE, DEFECT), Verdict.SUSPECTED),
        ((EXPLAINED, DEFECT, TRUE), Verdict.EXPLAINED),
    ],
)
def test_votes_make_the_verdict(votes: tuple[Vote, ...], verdict: Verdict) -> None:
    assert verdict_of(votes) is verdict


def test_only_defects_and_suspicions_cost() -> None:
    assert [verdict.costs for verdict in Verdict] == [True, True, False, False]


def test_there_are_28_checks_numbered_in_order() -> None:
    assert list(CHECKS) == list(range(1, 29))


def test_unknown_and_absurd_thresholds_are_refused_in_one_message() -> None:
    known = [Threshold("spike_sigmas", 8.0, 3.0, 50.0, "Doc.")]
    check_thresholds(known, {"spike_sigmas": 3.0})
    with pytest.raises(ConfigError, match=r"colour is no threshold.*spike_sigmas was 2, it lies in \[3, 50\]"):
        check_thresholds(known, {"spike_sigmas": 2.0, "colour": 1.0})
