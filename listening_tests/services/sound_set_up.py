"""The sound set-up of a sitting: the volume, and which ear is which. It keeps nobody from rating."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from listening_tests.models import Session
from listening_tests.services.sessions import session_lock
from listening_tests.sound_set_up import Heard, left_right_outcome
from listening_tests.stages import Stage, stage_of

# ITU-T P.808 practice: who comes back later than this sets up the sound again.
GOOD_FOR = timedelta(minutes=30)


@transaction.atomic
def sound_set_up_finish(*, session: Session, heard: Heard) -> Session:
    """Keeps what the rater heard in which ear, and goes on to rating.

    Where the sitting stands elsewhere, as after a repeat, nothing changes.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) == Stage.SOUND:
        session.left_right = left_right_outcome(session, heard)
        session.sound_set_up_at = timezone.now()
        session.save(update_fields=["left_right", "sound_set_up_at"])
    return session


@transaction.atomic
def sound_set_up_ask_again(*, session: Session, is_other_device: bool = False) -> Session:
    """Has a rater who comes back set up the sound again, where that was long ago or on another device."""
    session = session_lock(session_id=session.pk)
    set_up_at = session.sound_set_up_at
    if stage_of(session) not in {Stage.HEADPHONES, Stage.RATE} or set_up_at is None:
        return session
    if is_other_device or set_up_at < timezone.now() - GOOD_FOR:
        session.sound_set_up_at = None
        session.save(update_fields=["sound_set_up_at"])
    return session
