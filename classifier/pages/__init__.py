"""Doors to pages beside the first one: why an answer came about, and a person's history."""
