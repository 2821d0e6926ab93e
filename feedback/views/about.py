"""What this site is, how an answer comes about, and how often it is right."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from feedback.portraits import portraits, with_history


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    live = portraits(with_history().live())
    return render(request, "feedback/about.html", {"portrait": live[0] if live else None})
