"""Addresses of feedback."""

from django.urls import path

from feedback import api
from feedback.views import giving

urlpatterns = [
    path("feedback/<uuid:prediction_id>/", giving.give, name="give_feedback"),
    path("api/feedback", api.FeedbackView.as_view(), name="api-feedback"),
]
