"""Verdicts: a hit is only a suspicion until something independent speaks for or against it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Detail = Mapping[str, str | int | float | None]


class Verdict(StrEnum):
    """What a finding is believed to be; only the first two cost anything in the score."""

    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"
    TRUE_MOVE = "true_move"
    EXPLAINED = "explained"

    @property
    def costs(self) -> bool:
        """Whether a finding of this verdict lowers the score."""
        return self in {Verdict.CONFIRMED, Verdict.SUSPECTED}


class Says(StrEnum):
    """What one corroborator says of a hit."""

    DEFECT = "defect"
    TRUE = "true"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Vote:
    """One corroborator's word.

    Attributes:
        by: volume, persistence, timeframe, source, sisters, action, calendar, halt, listing, asked, rename,
            arithmetic.
        says: what it says.
        detail: the figures behind it, for the evidence.
    """

    by: str
    says: Says
    detail: Detail = field(default_factory=dict)

    def as_evidence(self) -> dict[str, object]:
        """The vote as it stands in a finding's evidence."""
        return {"by": self.by, "says": self.says.value, **self.detail}


def verdict_of(votes: Iterable[Vote]) -> Verdict:
    """Return the verdict that the votes carry.

    An explanation ends the question. Otherwise votes of one kind decide; none, or votes that contradict each other,
    leave it suspected: no vote, no confirmation.
    """
    said = {vote.says for vote in votes}
    if Says.EXPLAINED in said:
        return Verdict.EXPLAINED
    if said == {Says.DEFECT}:
        return Verdict.CONFIRMED
    if said == {Says.TRUE}:
        return Verdict.TRUE_MOVE
    return Verdict.SUSPECTED
