"""Trend: strategies that follow a move once it is under way. One strategy per file, found by the registry."""
