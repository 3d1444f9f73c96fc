"""How to break a series or a venue for one rule, and what must then be found."""

from dataclasses import dataclass
from datetime import datetime

from chandlery.quality.series.view import SeriesView
from chandlery.quality.venue.view import VenueView
from chandlery.quality.verdicts import Verdict


@dataclass(frozen=True)
class BrokenSeries:
    """A view, the instants at which the rule must hit (exactly these), and the verdict on each."""

    view: SeriesView
    ts: tuple[datetime, ...]
    verdict: Verdict


@dataclass(frozen=True)
class BrokenVenue:
    """A venue, the (instrument, instant) of every hit (exactly these), and the verdict on each."""

    view: VenueView
    hits: tuple[tuple[int | None, datetime], ...]
    verdict: Verdict
