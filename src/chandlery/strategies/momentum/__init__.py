"""Momentum: strategies that follow the speed of price. One strategy per file, found by the registry."""
