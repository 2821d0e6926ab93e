"""Numbers as the language of the page writes them: 1,234.5 here is 1 234,5 there."""

from django.utils.formats import get_format
from django.utils.translation import gettext as _


def number(written: str) -> str:
    """A number as Python writes it, such as `1,234.5`, with the marks of the language."""
    marks = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return written.translate(str.maketrans(marks))


def percent(share: float, places: int = 0) -> str:
    """A share such as 0.876 in percent, with so many places."""
    written = f"{share:.{places}%}".removesuffix("%")
    return _("%(number)s%%") % {"number": number(written)}
