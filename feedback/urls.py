"""Addresses of feedback."""

from django.urls import path, register_converter

from feedback import api
from feedback.shelf import NAME
from feedback.views import giving, versions


class NameConverter:
    """A version's name, or that of a file in its folder."""

    regex = NAME

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "version")

urlpatterns = [
    path("feedback/<uuid:prediction_id>/", giving.give, name="give_feedback"),
    path("api/feedback", api.FeedbackView.as_view(), name="api-feedback"),
    path("models", versions.index, name="models"),
    path("models/compare", versions.comparison, name="compare_models"),
    path("models/rollback", versions.roll_back, name="roll_back"),
    path("models/<version:name>", versions.detail, name="model"),
    path("models/<version:name>/card", versions.card, name="model_card"),
    path("models/<version:name>/promote", versions.promote, name="promote"),
    path("models/<version:name>/following", versions.following, name="following"),
    path(
        "models/<version:name>/figures/<version:figure_name>", versions.figure, name="model_figure"
    ),
]
