"""Volatility: strategies steered by how much price moves. One strategy per file, found by the registry."""
