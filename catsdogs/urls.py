"""All addresses: each app's own, the admin, the schema."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from classifier.api.root import NotFoundView

handler400 = "classifier.errors.bad_request"
handler500 = "classifier.errors.server_error"
urlpatterns = [
    path("", include("classifier.urls")),
    path("", include("feedback.urls")),
    path("", include("monitoring.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    # The split view has its script in a file of its own: our CSP allows no other.
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    re_path("^api/.*$", NotFoundView.as_view()),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
]
