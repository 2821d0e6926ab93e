"""Text that a spreadsheet takes for text, whoever wrote it."""

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """The text, behind an apostrophe where it would be a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
