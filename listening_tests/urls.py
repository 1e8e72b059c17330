"""The rater's addresses, below /t/."""

from django.urls import URLPattern

app_name = "listening_tests"
urlpatterns: list[URLPattern] = []
