"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard:test_list"), name="home"),
    path("t/", include("listening_tests.urls")),
    path("dashboard/", include("webapp.dashboard.urls")),
    path("admin/", admin.site.urls),
]
