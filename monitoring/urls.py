"""Addresses of monitoring."""

from django.urls import path

from monitoring import api, views

urlpatterns = [
    path("api/statistics", api.StatisticsView.as_view(), name="api-statistics"),
    path("metrics", views.metrics, name="metrics"),
]
