"""Where the switch of languages leads back to."""

from django import template
from django.template.context import RequestContext
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def here(context: RequestContext) -> str:
    """The address of the page that is shown, also where it came as the answer to a form.

    Not that of a page that broke: an address may hold a secret, and error pages are what people
    show to others.
    """
    request = context.get("request")
    is_error = context.get("is_error", False)
    if request is not None and request.method in ("GET", "HEAD") and not is_error:
        return str(request.get_full_path())
    prediction = context.get("prediction")
    return str(prediction.get_absolute_url()) if prediction else reverse("home")
