"""The rater's addresses, below /t/."""

from django.urls import path

from listening_tests import views

app_name = "listening_tests"
urlpatterns = [
    path("<slug:slug>/", views.welcome, name="welcome"),
    path("<slug:slug>/start/", views.start, name="start"),
    path("<slug:slug>/rate/", views.rate, name="rate"),
    path("<slug:slug>/resume/", views.resume, name="resume"),
    path("<slug:slug>/ratings/", views.ratings, name="ratings"),
    path("<slug:slug>/done/", views.done, name="done"),
    path("<slug:slug>/audio/<uuid:assignment_uuid>/", views.audio, name="audio"),
]
