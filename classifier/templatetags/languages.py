"""Where the switch of languages leads back to."""

from django import template
from django.template.context import RequestContext
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def here(context: RequestContext) -> str:
    """The address of the page that is shown, also where it came as the answer to a form."""
    request = context.get("request")
    if request is not None and request.method in ("GET", "HEAD"):
        return str(request.get_full_path())
    prediction = context.get("prediction")
    return str(prediction.get_absolute_url()) if prediction else reverse("home")
