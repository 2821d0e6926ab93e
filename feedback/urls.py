"""Addresses of feedback."""

from django.urls import path

from feedback import api
from feedback.views import giving, privacy, reviewing

urlpatterns = [
    path("feedback/<uuid:prediction_id>/", giving.give, name="give_feedback"),
    path("feedback/<uuid:prediction_id>/consent/", giving.answer_consent, name="answer_consent"),
    path("privacy", privacy.privacy, name="privacy"),
    path("privacy/consent/", privacy.set_consent, name="set_consent"),
    path("privacy/erase/", privacy.erase, name="erase_all"),
    path("review", reviewing.review, name="review"),
    path("review/undo/", reviewing.undo, name="undo_review"),
    path("review/<uuid:prediction_id>/", reviewing.decide, name="decide_review"),
    path("review/<uuid:prediction_id>/skip/", reviewing.skip, name="skip_review"),
    path("api/feedback", api.FeedbackView.as_view(), name="api-feedback"),
]
