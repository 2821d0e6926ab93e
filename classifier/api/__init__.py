"""Doors for programs: the API. Begin with `predict`; `shapes` says what goes in and out."""
