"""From an opinion to a better model."""
