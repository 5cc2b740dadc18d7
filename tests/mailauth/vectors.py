"""Test vectors of others, where they are there."""

from pathlib import Path

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
