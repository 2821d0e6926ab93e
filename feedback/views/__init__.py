"""The pages of feedback: giving it, reviewing it, and what is learnt from it."""
