"""Addresses of monitoring."""

from django.urls import path

from monitoring import api

urlpatterns = [
    path("api/statistics", api.StatisticsView.as_view(), name="api-statistics"),
]
