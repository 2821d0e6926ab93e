"""Addresses of feedback."""

from django.urls import path

from feedback import api, views

urlpatterns = [
    path("feedback/<uuid:prediction_id>/", views.give, name="give_feedback"),
    path("api/feedback", api.FeedbackView.as_view(), name="api-feedback"),
]
