"""Where a sitting stands, and under which address."""

import pytest
from django.utils import timezone

from listening_tests.choices import SessionStatus
from listening_tests.models import ListeningTest, Session
from listening_tests.stages import Stage, stage_of, stage_url

NOW = timezone.now()


@pytest.mark.parametrize(
    ("fields", "stage", "url"),
    [
        ({"needs_check": True}, Stage.CHECK, "/t/sounds/check/"),
        ({"needs_check": True, "sound_set_up_at": NOW}, Stage.CHECK, "/t/sounds/check/"),
        ({}, Stage.SOUND, "/t/sounds/sound/"),
        ({"sound_set_up_at": NOW}, Stage.RATE, "/t/sounds/rate/"),
        ({"headphone_check": "huggins"}, Stage.SOUND, "/t/sounds/sound/"),
        ({"headphone_check": "huggins", "sound_set_up_at": NOW}, Stage.HEADPHONES, "/t/sounds/headphones/"),
        (
            {"headphone_check": "huggins", "headphones_at": NOW, "sound_set_up_at": NOW},
            *(Stage.RATE, "/t/sounds/rate/"),
        ),
        ({"status": SessionStatus.COMPLETE, "sound_set_up_at": NOW}, Stage.QUESTIONS, "/t/sounds/questions/"),
        ({"status": SessionStatus.CUT_SHORT}, Stage.QUESTIONS, "/t/sounds/questions/"),
        ({"status": SessionStatus.COMPLETE, "questionnaire_at": NOW}, Stage.DONE, "/t/sounds/done/"),
        ({"status": SessionStatus.SCREENED, "needs_check": True}, Stage.SCREENED, "/t/sounds/ended/"),
        ({"status": SessionStatus.WITHDRAWN, "questionnaire_at": NOW}, Stage.WITHDRAWN, "/t/sounds/withdraw/"),
    ],
)
def test_it_works(fields: dict[str, object], stage: Stage, url: str) -> None:
    session = Session(test=ListeningTest(slug="sounds"), **fields)
    assert (stage_of(session), stage_url(session)) == (stage, url)
