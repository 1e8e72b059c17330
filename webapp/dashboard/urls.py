"""The researcher's addresses, below /dashboard/. Staff only."""

from django.urls import URLPattern

app_name = "dashboard"
urlpatterns: list[URLPattern] = []
