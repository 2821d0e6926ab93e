"""Sentences that are written down in English, and may be said in another language later."""


def gettext_noop(text: str) -> str:
    """Mark a sentence, or a word, for translation; what is filled in stands as `%(name)s`.

    What a training or a verdict says is kept, and read long after by people of any language. It is
    kept in English; `feedback.retelling` finds it among all that is marked like this. The name is
    the one that whatever gathers the texts of a program looks for.

    Returns:
        The same text.
    """
    return text
