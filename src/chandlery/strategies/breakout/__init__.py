"""Breakout: strategies that enter when price leaves its range. One strategy per file, found by the registry."""
