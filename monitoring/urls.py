"""Addresses of monitoring."""

from django.urls import path

from monitoring import api
from monitoring.views import insights, metrics, ml_test_score

urlpatterns = [
    path("api/statistics", api.StatisticsView.as_view(), name="api-statistics"),
    path("insights", insights.insights, name="insights"),
    path("insights/<slug:name>.csv", insights.as_csv, name="insights-csv"),
    path("ml-test-score", ml_test_score.ml_test_score, name="ml-test-score"),
    path("metrics", metrics.metrics, name="metrics"),
]
