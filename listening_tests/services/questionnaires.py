"""The questionnaire at the end of a sitting."""

from django.db import transaction
from django.utils import timezone

from listening_tests.models import Session
from listening_tests.services.sessions import session_lock
from listening_tests.stages import Stage, stage_of


@transaction.atomic
def questionnaire_skip(*, session: Session) -> Session:
    """Goes on to the code without answers. Where the sitting stands elsewhere, as after a repeat, nothing changes."""
    session = session_lock(session_id=session.pk)
    if stage_of(session) == Stage.QUESTIONS:
        session.questionnaire_at = timezone.now()
        session.save(update_fields=["questionnaire_at"])
    return session
