"""Which request a page answers, for whoever reports what went wrong."""

from django import template

from classifier import trace

register = template.Library()


@register.simple_tag
def request_id() -> str:
    """Its id, as in the header `X-Request-ID` and in the log."""
    return trace.current().request_id
