"""The stand-in: an ASGI app that serves a tape over the vendor's REST paths, on loopback.

What belongs here: the vendor's behaviour as documented and recorded, and scripted faults for tests. What does
not: anything a pipeline needs to know that the vendor would not tell. The command line, tests and benchmarks
may import it; `sources.massive` may not, it must not notice the difference.
"""

from chandlery.sources.standin.app import create_app
from chandlery.sources.standin.serve import running, serve

__all__ = ["create_app", "running", "serve"]
