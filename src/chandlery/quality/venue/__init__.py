"""Rules over all instruments of a calendar at once: what no series can see of itself.

One file a family, each with `RULES`; the registry walks them.
"""
