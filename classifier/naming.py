"""What answers are called in the language of the page."""

from django.utils.translation import gettext, gettext_noop

# Those of our own versions, and what stands beside any label. Those of other versions are any words
# at all, and shown as they are.
_LABELS = (
    *(gettext_noop("cat"), gettext_noop("dog")),
    *(gettext_noop("unsure"), gettext_noop("neither")),
)


def label_name(label: str) -> str:
    """A label as people call it."""
    return gettext(label) if label in _LABELS else label
