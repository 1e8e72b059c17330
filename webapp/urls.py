"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from listening_tests.views.languages import choose_language
from webapp.health import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard:test_list"), name="home"),
    path("health/", health, name="health"),
    path("t/", include("listening_tests.urls")),
    # The same names as the rater's addresses, so that the rater's templates lead on within the preview.
    path("preview/", include("webapp.preview.urls", namespace="preview")),
    path("language/", choose_language, name="choose_language"),
    path("dashboard/", include("webapp.dashboard.urls")),
    path("api/", include("webapp.api.urls")),
    path("admin/", admin.site.urls),
]
