"""What answers are called in the language of the page."""

from django.utils.translation import gettext, gettext_noop

_OURS = (gettext_noop("cat"), gettext_noop("dog"), gettext_noop("unsure"), gettext_noop("neither"))


def answer_name(answer: str) -> str:
    """An answer or a label as people say it; labels of other models than ours are as they are."""
    return gettext(answer) if answer in _OURS else answer
