"""The stand-in: an ASGI app that serves a tape over the vendor's REST paths, on loopback.

What belongs here: the vendor's behaviour as documented and recorded, its plans, and scripted faults. What does
not: anything a pipeline needs to know that the vendor would not tell. The command line, tests and benchmarks
may import it; `sources.massive` may not, it must not notice the difference.
"""

from chandlery.sources.standin.app import create_app
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.in_process import Answered, ConnectionLostError, ask
from chandlery.sources.standin.journal import Received
from chandlery.sources.standin.plans import PLANS, Plan, Refusal
from chandlery.sources.standin.recorded import create_recorded_app, recorded_refusal
from chandlery.sources.standin.serve import running, running_app, serve, serve_app

__all__ = [
    "PLANS",
    "Answered",
    "ConnectionLostError",
    "Holdings",
    "Plan",
    "Received",
    "Refusal",
    "ask",
    "create_app",
    "create_recorded_app",
    "recorded_refusal",
    "running",
    "running_app",
    "serve",
    "serve_app",
]
