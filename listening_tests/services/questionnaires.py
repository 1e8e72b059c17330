"""The questionnaire at the end of a sitting: answered or passed over, then comes the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_tests.exceptions import Refused
from listening_tests.models import Questionnaire, Session, SurveyAnswer, SurveyQuestion
from listening_tests.services.sessions import session_lock
from listening_tests.stages import Stage, stage_of

QUESTION_GONE = _(
    "One of the questions was taken away while you answered, so nothing is sent yet. Please look at your answers and "
    "send them once again."
)


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
    changes: the first answers stay. Raises Refused where a question that was answered has been taken away.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) != Stage.QUESTIONS:
        return session
    own = {question_id: text for question_id, text in answers.own.items() if text}
    _refuse_unless_asked(own)
    questionnaire = Questionnaire.objects.create(
        session=session, device=answers.device, surroundings=answers.surroundings, remarks=answers.remarks
    )
    SurveyAnswer.objects.bulk_create(
        [
            SurveyAnswer(questionnaire=questionnaire, question_id=question_id, text=text)
            for question_id, text in own.items()
        ]
    )
    return _go_on(session)


def _refuse_unless_asked(own: Mapping[int, str]) -> None:
    """Holds the questions that were answered, so that none of them goes before its answer is there."""
    asked = SurveyQuestion.objects.filter(pk__in=own).order_by("pk").select_for_update(no_key=True)
    if own and len(asked) < len(own):
        raise Refused(QUESTION_GONE)


@transaction.atomic
def questionnaire_skip(*, session: Session) -> Session:
    """Goes on to the code without answers. Where the sitting stands elsewhere, as after a repeat, nothing changes."""
    session = session_lock(session_id=session.pk)
    return _go_on(session) if stage_of(session) == Stage.QUESTIONS else session


def _go_on(session: Session) -> Session:
    session.questionnaire_at = timezone.now()
    session.save(update_fields=["questionnaire_at"])
    return session
