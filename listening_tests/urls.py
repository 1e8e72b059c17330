"""The rater's addresses, below /t/."""

from django.urls import path

from listening_tests.views import ending, entering, headphones, rating, rights, setup

app_name = "listening_tests"
urlpatterns = [
    path("<slug:slug>/", entering.welcome, name="welcome"),
    path("<slug:slug>/start/", entering.start, name="start"),
    path("<slug:slug>/declined/", entering.declined, name="declined"),
    path("<slug:slug>/check/", setup.check, name="check"),
    path("<slug:slug>/sound/", setup.sound, name="sound"),
    path("<slug:slug>/sound/<str:name>/", setup.sound_file, name="sound_file"),
    path("<slug:slug>/headphones/", headphones.headphones, name="headphones"),
    path("<slug:slug>/headphones/<str:name>/", headphones.headphone_sound, name="headphone_sound"),
    path("<slug:slug>/rate/", rating.rate, name="rate"),
    path("<slug:slug>/resume/", entering.resume, name="resume"),
    path("<slug:slug>/ratings/", rating.ratings, name="ratings"),
    path("<slug:slug>/skips/", rating.skips, name="skips"),
    path("<slug:slug>/questions/", ending.questions, name="questions"),
    path("<slug:slug>/done/", ending.done, name="done"),
    path("<slug:slug>/ended/", ending.screened, name="screened"),
    path("<slug:slug>/withdraw/", rights.withdraw, name="withdraw"),
    path("<slug:slug>/problem/", rights.problem, name="problem"),
    path("<slug:slug>/link/", rights.personal_link, name="personal_link"),
    path("<slug:slug>/link/<str:token>/", rights.link, name="link"),
    path("<slug:slug>/audio/<uuid:assignment_uuid>/", rating.audio, name="audio"),
    path("<slug:slug>/audio/<uuid:assignment_uuid>/<int:place>/", rating.audio, name="audio_at_place"),
]
