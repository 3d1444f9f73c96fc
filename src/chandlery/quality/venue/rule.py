"""A venue rule: a sentence that should be true of all instruments of a calendar together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import polars as pl

from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.checks import CHECKS, Term
from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import HIT_SCHEMA, Hit
from chandlery.quality.thresholds import Threshold
from chandlery.quality.venue.view import VenueView

VENUE_HIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"instrument_id": pl.Int64, **HIT_SCHEMA}
"""A hit about one instrument, or with a null instrument about the venue."""


@dataclass(frozen=True, slots=True)
class VenueRule:
    """One entry of the venue registry; the fields are those of a `SeriesRule`, `judge` returns `VENUE_HIT_SCHEMA`."""

    name: str
    check: int
    severity: Severity
    doc: str
    judge: Callable[[VenueView], pl.DataFrame]
    calendars: frozenset[str] = frozenset({"NYSE", "24/7"})
    timeframes: frozenset[Timeframe] = field(default=frozenset(BASE_TIMEFRAMES))
    thresholds: tuple[Threshold, ...] = ()

    @property
    def term(self) -> Term:
        """The term of the score a finding lowers."""
        return CHECKS[self.check].term

    def applies_to(self, view: VenueView) -> bool:
        """Return whether the rule means anything for this venue."""
        return view.calendar in self.calendars and view.timeframe in self.timeframes


def venue_hits(hits: Iterable[tuple[int | None, Hit]]) -> pl.DataFrame:
    """Return hits, each with its instrument, as a frame in `VENUE_HIT_SCHEMA`, ascending by ts and instrument."""
    rows = [{"instrument_id": instrument_id, **hit.as_row()} for instrument_id, hit in hits]
    return pl.DataFrame(rows, schema=VENUE_HIT_SCHEMA).sort("ts", "instrument_id", maintain_order=True)
