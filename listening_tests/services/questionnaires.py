"""The questionnaire at the end of a sitting: answered or passed over, then comes the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from listening_tests.models import Questionnaire, Session, SurveyAnswer
from listening_tests.services.sessions import session_lock
from listening_tests.stages import Stage, stage_of


@dataclass(frozen=True)
class QuestionnaireAnswers:
    """What a rater answered; an empty text is no answer. `own` holds the answers to the researcher's own questions by
    the questions' keys.
    """

    device: str = ""
    surroundings: str = ""
    remarks: str = ""
    own: Mapping[int, str] = field(default_factory=dict)


@transaction.atomic
def questionnaire_submit(*, session: Session, answers: QuestionnaireAnswers) -> Session:
    """Stores the answers and goes on to the code. Where the sitting stands elsewhere, as after a repeat, nothing
    changes: the first answers stay.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) != Stage.QUESTIONS:
        return session
    questionnaire = Questionnaire.objects.create(
        session=session, device=answers.device, surroundings=answers.surroundings, remarks=answers.remarks
    )
    SurveyAnswer.objects.bulk_create(
        [
            SurveyAnswer(questionnaire=questionnaire, question_id=question_id, text=text)
            for question_id, text in answers.own.items()
            if text
        ]
    )
    return _go_on(session)


@transaction.atomic
def questionnaire_skip(*, session: Session) -> Session:
    """Goes on to the code without answers. Where the sitting stands elsewhere, as after a repeat, nothing changes."""
    session = session_lock(session_id=session.pk)
    return _go_on(session) if stage_of(session) == Stage.QUESTIONS else session


def _go_on(session: Session) -> Session:
    session.questionnaire_at = timezone.now()
    session.save(update_fields=["questionnaire_at"])
    return session
