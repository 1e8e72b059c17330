"""The researcher's addresses, below /dashboard/. Staff only."""

from django.urls import path

from webapp.dashboard import clips, pages_of_runs, pages_of_tests

app_name = "dashboard"
urlpatterns = [
    path("", pages_of_tests.test_list, name="test_list"),
    path("tests/<slug:slug>/", pages_of_tests.test_page, name="test_page"),
    path("tests/<slug:slug>/runs/", pages_of_tests.test_runs, name="test_runs"),
    path("tests/<slug:slug>/retrain/", pages_of_tests.retrain, name="retrain"),
    path("runs/", pages_of_runs.runs_page, name="runs_page"),
    path("runs/live/", pages_of_runs.runs_live, name="runs_live"),
    path("runs/<uuid:uuid>/", pages_of_runs.run_page, name="run_page"),
    path("runs/<uuid:uuid>/live/", pages_of_runs.run_live, name="run_live"),
    path("runs/<uuid:uuid>/cancel/", pages_of_runs.run_stop, name="run_cancel"),
    path("clips/<uuid:uuid>/audio/", clips.audio, name="clip_audio"),
]
