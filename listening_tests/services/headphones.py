"""The headphone check of a sitting: recorded, and a gate only where the test requires headphones.

What could not be checked is held against nobody, also where headphones are required.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import CheckOutcome
from listening_tests.headphones import MOST_ATTEMPTS, count_right, outcome
from listening_tests.models import Session
from listening_tests.services.patience import patiently
from listening_tests.services.sessions import session_lock, session_screen_out
from listening_tests.stages import Stage, stage_of

_FIELDS = ["headphones", "headphones_right", "headphone_attempts", "headphones_at"]


@patiently
@transaction.atomic
def headphones_submit(*, session: Session, attempt: int, places: Sequence[int]) -> Session:
    """Judges which of the three sounds was named for each trial: 1, 2 or 3.

    Failed where headphones are required, there is another attempt, with the sounds in another order; after the last the
    session ends as screened, and its pairs go to others. `attempt` counts from 1; an attempt that was counted before
    counts no more, and where the sitting stands elsewhere nothing changes.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) != Stage.HEADPHONES or attempt != session.headphone_attempts + 1:
        return session
    session.headphones_right = count_right(session, places)
    session.headphones = outcome(session, session.headphones_right)
    session.headphone_attempts += 1
    is_held_up = session.headphones == CheckOutcome.FAILED and session.test.headphones_required
    if not is_held_up or session.headphone_attempts >= MOST_ATTEMPTS:
        session.headphones_at = timezone.now()
    session.save(update_fields=_FIELDS)
    if is_held_up and session.headphones_at is not None:
        session_screen_out(session=session)
    return session


@transaction.atomic
def headphones_skip(*, session: Session) -> Session:
    """Goes on to rating for who cannot hear the sounds: it could not be checked. A repeat changes nothing.

    Of an attempt that was counted before, its number of right trials stays.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) == Stage.HEADPHONES:
        session.headphones = CheckOutcome.UNCHECKED
        session.headphones_at = timezone.now()
        session.save(update_fields=_FIELDS)
    return session
