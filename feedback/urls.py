"""Addresses of feedback."""

from django.urls import path, register_converter

from feedback import api
from feedback.shelf import NAME
from feedback.views import about, giving, privacy, replays, reviewing, runs, versions


class NameConverter:
    """A version's name, or that of a file in its folder."""

    regex = NAME

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "version")

urlpatterns = [
    path("about", about.about, name="about"),
    path("feedback/<uuid:prediction_id>/", giving.give, name="give_feedback"),
    path("feedback/<uuid:prediction_id>/consent/", giving.answer_consent, name="answer_consent"),
    path("feedback/<uuid:prediction_id>/undo/", giving.undo, name="undo_feedback"),
    path("privacy", privacy.privacy, name="privacy"),
    path("privacy/consent/", privacy.set_consent, name="set_consent"),
    path("privacy/erase/", privacy.erase, name="erase_all"),
    path("review", reviewing.review, name="review"),
    path("review/undo/", reviewing.undo, name="undo_review"),
    path("review/<uuid:prediction_id>/", reviewing.decide, name="decide_review"),
    path("review/<uuid:prediction_id>/skip/", reviewing.skip, name="skip_review"),
    path("runs", runs.runs, name="runs"),
    path("runs/start", runs.start, name="start_run"),
    path("runs/<uuid:run_id>", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancel", runs.cancel, name="cancel_run"),
    path("replays", replays.replays, name="replays"),
    path("replays/start", replays.start, name="start_replay"),
    path("replays/<uuid:replay_id>", replays.replay, name="replay"),
    path("replays/<uuid:replay_id>/cancel", replays.cancel, name="cancel_replay"),
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
