"""Sentences that are kept in English and can be said in another language later.

What a run writes down is read long after, by people of whatever language: so it is written in
English, by a pattern that is known here. A page finds the pattern again and fills in its
translation (`feedback.retelling`).
"""

_KNOWN: dict[str, None] = {}


def gettext_noop(text: str) -> str:
    """Mark a sentence, or a word in one, for translation; what varies in it is `%(name)s`.

    It has the name that whatever gathers the texts of a program looks for.

    Returns:
        The same text.
    """
    _KNOWN[text] = None
    return text


def known() -> tuple[str, ...]:
    """What was marked by the modules loaded so far."""
    return tuple(_KNOWN)
