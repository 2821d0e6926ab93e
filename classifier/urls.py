"""Addresses of the pages and of the API up to the logged answer."""

from django.urls import path, re_path

from classifier import health, views
from classifier.api import explanation, predict, predictions, root, versions
from classifier.pages import history, why

urlpatterns = [
    path("", views.home, name="home"),
    path("classify/", views.classify, name="classify"),
    path("visitor/", views.visitor, name="visitor"),
    path("predictions/<uuid:prediction_id>/", views.prediction, name="prediction"),
    path("predictions/<uuid:prediction_id>/receipt/", views.receipt, name="receipt"),
    path("predictions/<uuid:prediction_id>/erase/", views.erase, name="erase"),
    path("predictions/<uuid:prediction_id>/why/", why.why, name="why"),
    path("history", history.history, name="history"),
    path("history/<uuid:prediction_id>/erase/", history.erase, name="erase_from_history"),
    path("photos/<uuid:prediction_id>/", views.photo, name="photo"),
    path("photos/<uuid:prediction_id>/heat/", why.heat, name="heat"),
    path("favicon.ico", views.favicon),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/", root.RootView.as_view(), name="api-root"),
    path("api/predict", predict.PredictView.as_view(), name="api-predict"),
    path("api/predict/batch", predict.PredictBatchView.as_view(), name="api-predict-batch"),
    path("api/predictions", predictions.PredictionListView.as_view(), name="api-predictions"),
    path("api/predictions/<uuid:pk>", predictions.PredictionView.as_view(), name="api-prediction"),
    path(
        "api/predictions/<uuid:pk>/receipt", predictions.ReceiptView.as_view(), name="api-receipt"
    ),
    path(
        "api/predictions/<uuid:pk>/explanation",
        explanation.ExplanationView.as_view(),
        name="api-explanation",
    ),
    path("api/models", versions.ModelVersionListView.as_view(), name="api-models"),
    # No more than a version's name can hold: PostgreSQL would choke on a NUL.
    re_path(
        r"^api/models/(?P<version>[\w.-]+)$", versions.ModelVersionView.as_view(), name="api-model"
    ),
]
