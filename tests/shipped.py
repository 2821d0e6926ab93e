"""The versions that ship: the one that answers, and a small one to compare with."""

from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
ANSWERS, SMALL = "2026-11-26.2", "2026-11-26.0"
