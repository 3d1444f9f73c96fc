"""Multi-asset: strategies over several symbols, rotations and pairs. One per file, found by the registry."""
