"""Addresses of feedback."""

from django.urls import path

from feedback import api
from feedback.views import giving, replays, runs

urlpatterns = [
    path("feedback/<uuid:prediction_id>/", giving.give, name="give_feedback"),
    path("runs", runs.runs, name="runs"),
    path("runs/start", runs.start, name="start_run"),
    path("runs/<uuid:run_id>", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancel", runs.cancel, name="cancel_run"),
    path("replays", replays.replays, name="replays"),
    path("replays/start", replays.start, name="start_replay"),
    path("replays/<uuid:replay_id>", replays.replay, name="replay"),
    path("replays/<uuid:replay_id>/cancel", replays.cancel, name="cancel_replay"),
    path("api/feedback", api.FeedbackView.as_view(), name="api-feedback"),
]
