"""Faults: what the stand-in does wrong on purpose, and when.

What belongs here: single faults by family (`refusals`, `wire`, `bodies`, `revisions`), the registry that names them
and says what a client must make of each, scripts, and the app that plays them. What does not: the right answers.
"""

from chandlery.sources.standin.faults.fault import Fault
from chandlery.sources.standin.faults.refusals import (
    forbidden,
    html_page,
    not_authorized_in_body,
    payload_too_large,
    server_error,
    too_many_requests,
    unauthorized,
)
from chandlery.sources.standin.faults.registry import FAULTS, FaultKind
from chandlery.sources.standin.faults.script import FaultScript, Planned, read_script
from chandlery.sources.standin.faults.wire import closed_in_mid_body, connection_dropped, slow, truncated

__all__ = [
    "FAULTS",
    "Fault",
    "FaultKind",
    "FaultScript",
    "Planned",
    "closed_in_mid_body",
    "connection_dropped",
    "forbidden",
    "html_page",
    "not_authorized_in_body",
    "payload_too_large",
    "read_script",
    "server_error",
    "slow",
    "too_many_requests",
    "truncated",
    "unauthorized",
]
