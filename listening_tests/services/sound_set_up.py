"""The sound set-up of a sitting: the volume, and which ear is which."""

from django.db import transaction
from django.utils import timezone

from listening_tests.models import Session
from listening_tests.services.sessions import session_lock
from listening_tests.stages import Stage, stage_of


@transaction.atomic
def sound_set_up_finish(*, session: Session) -> Session:
    """Goes on to rating. Where the sitting stands elsewhere, as after a repeat, nothing changes."""
    session = session_lock(session_id=session.pk)
    if stage_of(session) == Stage.SOUND:
        session.sound_set_up_at = timezone.now()
        session.save(update_fields=["sound_set_up_at"])
    return session
