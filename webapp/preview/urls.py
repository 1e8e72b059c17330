"""The preview's addresses, below /preview/: those of listening_tests.urls under the same names."""

from django.urls import path

from webapp.preview import pages, rating

app_name = "listening_tests"
urlpatterns = [
    path("<slug:slug>/", pages.welcome, name="welcome"),
    path("<slug:slug>/start/", pages.start, name="start"),
    path("<slug:slug>/declined/", pages.declined, name="declined"),
    path("<slug:slug>/check/", pages.check, name="check"),
    path("<slug:slug>/sound/", pages.sound, name="sound"),
    path("<slug:slug>/sound/<str:name>/", pages.sound_file, name="sound_file"),
    path("<slug:slug>/headphones/", pages.headphones, name="headphones"),
    path("<slug:slug>/headphones/<str:name>/", pages.headphone_sound, name="headphone_sound"),
    path("<slug:slug>/rate/", rating.rate, name="rate"),
    path("<slug:slug>/ratings/<uuid:walk>/", rating.ratings, name="walk_ratings"),
    path("<slug:slug>/skips/<uuid:walk>/", rating.skips, name="walk_skips"),
    path("<slug:slug>/audio/<uuid:walk>/<int:number>/<int:place>/", rating.audio, name="walk_audio"),
    path("<slug:slug>/questions/", pages.questions, name="questions"),
    path("<slug:slug>/done/", pages.done, name="done"),
    path("<slug:slug>/problem/", pages.nothing_here, name="problem"),
    path("<slug:slug>/link/", pages.nothing_here, name="personal_link"),
    path("<slug:slug>/withdraw/", pages.nothing_here, name="withdraw"),
]
