"""The 28 checks: what is looked for, and which term of the score it lowers.

A check is a question, a rule (`rules/`, `series/`, `venue/`) is a sentence that answers it; some checks need two.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Term(StrEnum):
    """One term of the score; NONE informs and costs nothing."""

    VALIDITY = "validity"
    COMPLETENESS = "completeness"
    CONSISTENCY = "consistency"
    PLAUSIBILITY = "plausibility"
    TIMELINESS = "timeliness"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Check:
    """One of the 28; `number` is stable and never reused."""

    number: int
    title: str
    term: Term


_TITLES = (
    (1, "Null, NaN, infinite or absurd values", Term.VALIDITY),
    (2, "High and low do not cover open and close", Term.VALIDITY),
    (3, "Price not above zero, volume below zero", Term.VALIDITY),
    (4, "Two bars of one instant", Term.VALIDITY),
    (5, "Bar off the grid of its timeframe", Term.VALIDITY),
    (6, "Bar outside the request, foreign ticker", Term.VALIDITY),
    (7, "Bar off the calendar", Term.PLAUSIBILITY),
    (8, "Missing session", Term.COMPLETENESS),
    (9, "Spike that reverts, bad high or low", Term.PLAUSIBILITY),
    (10, "Split-like jump without a record", Term.PLAUSIBILITY),
    (11, "Recorded split without a jump, or twice", Term.PLAUSIBILITY),
    (12, "Unit error: 100, 1000 or their inverse", Term.PLAUSIBILITY),
    (13, "Volume far from its habit", Term.PLAUSIBILITY),
    (14, "Stale prices; price change without volume", Term.PLAUSIBILITY),
    (15, "Filler that stands for no trade", Term.NONE),
    (16, "Vwap or trade count that cannot be", Term.PLAUSIBILITY),
    (17, "Missing minutes", Term.COMPLETENESS),
    (18, "Day bar differs from its minutes", Term.CONSISTENCY),
    (19, "Candle differs from its finer ones", Term.CONSISTENCY),
    (20, "Another source says otherwise", Term.CONSISTENCY),
    (21, "Clock shifted", Term.PLAUSIBILITY),
    (22, "Minutes labelled by their end", Term.PLAUSIBILITY),
    (23, "Two share bases in one series", Term.CONSISTENCY),
    (24, "Published bar was revised", Term.NONE),
    (25, "Bars are late", Term.TIMELINESS),
    (26, "Hole of a month in one identity", Term.PLAUSIBILITY),
    (27, "Fewer instruments than usual", Term.NONE),
    (28, "Instruments of a venue miss the same minutes", Term.NONE),
)

CHECKS = MappingProxyType({number: Check(number, title, term) for number, title, term in _TITLES})
"""Every check by its number; read-only."""
