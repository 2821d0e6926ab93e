"""Doors of monitoring: what Prometheus reads, and what a person does."""
