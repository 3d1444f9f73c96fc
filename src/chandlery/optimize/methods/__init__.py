"""Methods: which lattice points to evaluate next, one file each holding one module-level `METHOD`.

What belongs here: methods of search and what they share. What does not: evaluating, recording, deciding which
method suits a question (`optimize/policy.py`). Only `optimize/` imports it.

A method is a generator: it yields batches of lattice points and is sent their scores. It is a deterministic
function of its plan and of those scores, so a search resumes by replay and no state of a method is ever stored.
"""

from chandlery.optimize.methods.plan import Method, Plan, Search
from chandlery.optimize.methods.registry import all_methods, get_method

__all__ = ["Method", "Plan", "Search", "all_methods", "get_method"]
