"""Repairs: what a confirmed or suspected defect should have been, as a proposal with its evidence.

What belongs here: methods that compute a proposal from a view and a finding. What does not: asking a source again,
writing, deciding (`steps/repairs.py`). A repair never changes the original: it becomes a new version.
"""
