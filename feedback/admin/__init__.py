"""What is said of our answers, and what is learnt from it, in the admin."""

from feedback.admin import opinions, runs, versions

__all__ = ["opinions", "runs", "versions"]
