"""The registry of faults: a name, how to make it, and what a client must do with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from chandlery.sources.standin.faults import bodies, refusals, revisions, wire
from chandlery.sources.standin.faults.fault import Fault

_RETRY = "Try again after a back-off; every try counts against the rate budget. "
_RETRY_OR_UNAVAILABLE = _RETRY + "After the last try: Unavailable, and one failure more for the circuit breaker."
_REFUSE = "BadPayload; nothing of the window is published, and the window is failed with that code."
_HOLD = "Taken as sent; the audit holds the bar in quarantine and it does not reach the marts."
_STOP = (
    "NotEntitled at once, no retry; nothing of the window is published and the run says which key or plan to change."
)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault."""

    name: str
    promise: str
    """What the client, and the pipeline behind it, must do."""
    build: Callable[..., Fault]
    """Makes the fault; its keyword arguments are what a script may give."""

    def make(self, **given: object) -> Fault:
        """Return the fault under its name."""
        return replace(self.build(**given), name=self.name)


_KINDS = (
    FaultKind("rate_limited", _RETRY + "After the last try: RateLimited.", refusals.too_many_requests),
    FaultKind(
        "rate_limited_without_body",
        _RETRY + "An empty body changes nothing. After the last try: RateLimited.",
        partial(refusals.too_many_requests, has_body=False),
    ),
    FaultKind(
        "rate_limited_with_retry_after",
        "Wait as long as the header asks, or give up with RateLimited if it asks for more than 300 s.",
        partial(refusals.too_many_requests, retry_after="21"),
    ),
    FaultKind("server_error_500", _RETRY_OR_UNAVAILABLE, partial(refusals.server_error, 500)),
    FaultKind("server_error_502", _RETRY_OR_UNAVAILABLE, partial(refusals.server_error, 502)),
    FaultKind("server_error_504", _RETRY_OR_UNAVAILABLE, partial(refusals.server_error, 504)),
    FaultKind("connection_dropped", _RETRY_OR_UNAVAILABLE, wire.connection_dropped),
    FaultKind("read_timeout", _RETRY_OR_UNAVAILABLE, wire.read_timeout),
    FaultKind("closed_in_mid_body", _RETRY_OR_UNAVAILABLE, wire.closed_in_mid_body),
    FaultKind("truncated_json", _RETRY + "After the last try: BadPayload.", wire.truncated),
    FaultKind(
        "results_null",
        "Empty where the calendar expects bars: ask again; if it stays, empty_suspected, never a silent gap.",
        bodies.results_null,
    ),
    FaultKind(
        "empty_without_results",
        "No bars, no error; empty_suspected for a listed instrument until a later run agrees.",
        partial(bodies.empty, "absent"),
    ),
    FaultKind(
        "empty_with_null", "The same as without `results`: all three shapes are one.", partial(bodies.empty, "null")
    ),
    FaultKind(
        "empty_with_list", "The same as without `results`: all three shapes are one.", partial(bodies.empty, "list")
    ),
    FaultKind("duplicate_page", "A page that does not advance: " + _REFUSE, bodies.duplicate_page),
    FaultKind("page_out_of_order", "Sorted; no bar is lost and none is doubled.", bodies.page_out_of_order),
    FaultKind(
        "duplicate_row",
        "Equal rows collapse into one; rows that differ are both found by the audit and held.",
        bodies.duplicate_row,
    ),
    FaultKind("bar_outside_the_range", "The row is dropped and counted; the rest lands.", bodies.bar_outside_the_range),
    FaultKind("other_ticker_echoed", _REFUSE, bodies.other_ticker_echoed),
    FaultKind("garbage_row", _REFUSE, bodies.garbage_row),
    FaultKind(
        "garbage_ticker", "In grouped daily: the row is dropped and counted; the rest lands.", bodies.garbage_ticker
    ),
    FaultKind("nan_value", _HOLD, partial(bodies.strange_number, math.nan)),
    FaultKind("infinite_value", _HOLD, partial(bodies.strange_number, math.inf)),
    FaultKind("huge_value", _HOLD, partial(bodies.strange_number, 1e308)),
    FaultKind("field_added", "Ignored: every bar lands as without it.", bodies.field_added),
    FaultKind("field_missing", "The value is null; " + _HOLD.lower(), bodies.field_missing),
    FaultKind("field_retyped", _REFUSE, bodies.field_retyped),
    FaultKind("adjusted_unasked", _REFUSE, bodies.adjusted_unasked),
    FaultKind(
        "bar_revised",
        "The new version is current, the old one goes to history with the ingest that ended it; the reason is "
        "vendor_correction, or late_trade if the bar only grew.",
        revisions.bar_revised,
    ),
    FaultKind(
        "bar_withdrawn",
        "It moves to history without a successor; as_of before it still shows the bar.",
        revisions.bar_withdrawn,
    ),
    FaultKind(
        "late_trade",
        "The new version is current with reason late_trade; only the candles the minute touches are built again.",
        revisions.late_trade,
    ),
    FaultKind(
        "duplicate_split",
        "Stored as sent; only the row whose date shows the price jump is accepted, the other is a finding.",
        revisions.duplicate_split,
    ),
    FaultKind(
        "late_split",
        "Raw bars stay, no refetch; adjusted reads change from the moment it is known, as_of before it does not.",
        revisions.late_split,
    ),
    FaultKind(
        "flat_file_replaced",
        "Noticed by ETag and size; read again, and changed bars become new versions.",
        revisions.flat_file_replaced,
    ),
    FaultKind(
        "next_url_on_a_foreign_host",
        "Only its path is followed, on the own host: the key never leaves.",
        bodies.next_url_on_a_foreign_host,
    ),
    FaultKind("next_url_loop", "Left at the first repetition: " + _REFUSE, bodies.next_url_loop),
    FaultKind("key_revoked", _STOP, refusals.unauthorized),
    FaultKind("forbidden", _STOP, refusals.forbidden),
    FaultKind("forbidden_in_error", _STOP, partial(refusals.forbidden, has_message=False)),
    FaultKind("not_authorized_in_body", _STOP, refusals.not_authorized_in_body),
    FaultKind(
        "payload_too_large",
        "Halve the window and ask for both halves; a single session fails.",
        refusals.payload_too_large,
    ),
    FaultKind("html_page", _REFUSE, refusals.html_page),
)

FAULTS = {kind.name: kind for kind in _KINDS}
"""Name -> kind, in the order of the families."""
