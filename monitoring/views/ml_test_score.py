"""The page of the ML Test Score: what is done, what is not, and the command that proves it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.ml_test_score import reading, score, sections


@require_safe
def ml_test_score(request: HttpRequest) -> HttpResponse:
    context = {"sections": sections(), "score": score(), "reading": reading(score())}
    return render(request, "monitoring/ml_test_score.html", context)
