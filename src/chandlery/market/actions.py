"""Corporate actions: what a source records of an instrument, and what stands after it was judged.

A record is never changed; `chandlery.market.verdicts` turns records and raw day prices into actions with a status, and
only accepted ones adjust (`chandlery.market.adjust`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class ActionKind(StrEnum):
    """What happened to the share."""

    SPLIT = "split"
    CASH_DIVIDEND = "cash_dividend"
    TICKER_CHANGE = "ticker_change"


class Status(StrEnum):
    """What became of a record: accepted ones adjust, suspected ones wait for evidence, rejected ones are wrong."""

    ACCEPTED = "accepted"
    SUSPECTED = "suspected"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSplit:
    """`split_from` old shares became `split_to` new ones on `day`, says the source; unjudged, so any integers."""

    day: date
    split_from: int
    split_to: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDividend:
    """`cash` per share, on the share basis of its ex-date `day`, says the source; unjudged."""

    day: date
    cash: Decimal
    currency: str
    distribution: str
    """The vendor's type: `CD` regular, `SC` special, `LT` and `ST` capital gains."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTicker:
    """From `day` on the instrument trades as `ticker`, says the source."""

    day: date
    ticker: str
    source: str


Recorded = RecordedSplit | RecordedDividend | RecordedTicker
Evidence = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One judged action; two are equal if they say the same, whenever that became known.

    `ex_date` is the first day on the new basis: the record's day, unless prices prove another. `evidence["reason"]`
    is one stable word for why the status is what it is; the other entries are the facts behind it.
    """

    kind: ActionKind
    ex_date: date
    status: Status
    evidence: Evidence
    source: str
    split_from: int | None = None
    split_to: int | None = None
    cash: Decimal | None = None
    currency: str | None = None
    known_from: datetime | None = field(default=None, compare=False)
    known_to: datetime | None = field(default=None, compare=False)

    @property
    def ratio(self) -> Fraction:
        """New shares per old share; 1 for what is no split, and for a split whose ratio is none."""
        if self.kind is not ActionKind.SPLIT or not self.split_from or not self.split_to:
            return Fraction(1)
        return Fraction(self.split_to, self.split_from)
