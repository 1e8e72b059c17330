"""Tests whose raters are known to be careful or careless, with all that screening looks at."""

import uuid
from datetime import datetime, timedelta

import numpy as np
from django.db.models import F
from django.utils import timezone

from listening_tests.choices import PairRole, Source
from listening_tests.models import (
    Assignment,
    Caption,
    Clip,
    Consent,
    ListeningTest,
    Pair,
    Question,
    Rater,
    Rating,
    Session,
)
from tests.factories import make_test

CLIP_S = 4.0
N_STUDY = 12


def make_screened_test(*, n_careful: int = 8, n_careless: int = 2, **fields: object) -> ListeningTest:
    """Each rater scores 12 study pairs of two systems, 3 anchors, a gold pair of 8 to 10 and a trap that wants a 3.

    Careful raters say the truth or a point more, hear everything and think for 3 s; careless ones say 9, at once.
    """
    test = make_test(**{"pairs_per_session": 17} | fields)
    add_pairs(test)
    add_raters(test, n_careful)
    add_raters(test, n_careless, careless=True)
    return test


def add_pairs(test: ListeningTest) -> None:
    roles = [PairRole.STUDY] * N_STUDY + [PairRole.ANCHOR] * 3 + [PairRole.GOLD] * 2
    clips = Clip.objects.bulk_create(
        [Clip(named_sha256="", name=f"{n}.wav", duration_s=CLIP_S) for n in range(len(roles))]
    )
    texts = [f"{test.slug}: sound {number}" for number in range(len(roles))]
    captions = Caption.objects.bulk_create([Caption(text=text, text_sha256=Caption.digest(text)) for text in texts])
    expected = {N_STUDY + 3: (8, 10), N_STUDY + 4: (3, 3)}
    Pair.objects.bulk_create(
        Pair(
            test=test,
            clip=clip,
            caption=caption,
            role=role,
            system=f"system {number % 2}" if role == PairRole.STUDY else "",
            expected_min=expected.get(number, (None, None))[0],
            expected_max=expected.get(number, (None, None))[1],
        )
        for number, (role, clip, caption) in enumerate(zip(roles, clips, captions, strict=True))
    )


def add_raters(
    test: ListeningTest, number: int, *, careless: bool = False, submitted_at: datetime | None = None
) -> list[Rater]:
    """Sittings that are over, rows straight into the tables: a sitting through the services takes a second."""
    pairs = list(test.pairs.order_by("pk"))
    questions = list(test.questions.order_by("pk"))
    raters = Rater.objects.bulk_create([Rater(source=Source.COLLECTED) for _ in range(number)])
    consents = Consent.objects.bulk_create([Consent(rater=rater, test=test, version=1) for rater in raters])
    sessions = Session.objects.bulk_create(
        [
            Session(test=test, rater=rater, consent=consent, planned_count=len(pairs), status="complete")
            for rater, consent in zip(raters, consents, strict=True)
        ]
    )
    begun = submitted_at or timezone.now() - timedelta(hours=1)
    think_s = 0.1 if careless else 3.0
    assignments = Assignment.objects.bulk_create(
        Assignment(
            session=session,
            rater=session.rater,
            pair=pair,
            position=place,
            propensity=1.0,
            leased_at=begun,
            lease_expires_at=begun,
            rated_at=begun,
        )
        for session in sessions
        for place, pair in enumerate(pairs)
    )
    test.pairs.update(load=F("load") + number)
    rng = np.random.default_rng(number)
    Rating.objects.bulk_create(
        _rating(question, assignment, 9 if careless else _truth(assignment) + int(rng.integers(0, 2)), begun, think_s)
        for assignment in assignments
        for question in questions
    )
    return raters


def _truth(assignment: Assignment) -> int:
    pair, place = assignment.pair, assignment.position
    if pair.role == PairRole.ANCHOR:
        return 0
    if pair.role == PairRole.GOLD:
        return 9 if pair.expected_max == 10 else 2
    return place * 3 % 10


def _rating(question: Question, assignment: Assignment, score: int, begun: datetime, think_s: float) -> Rating:
    pair = assignment.pair
    is_trap = pair.role == PairRole.GOLD and pair.expected_max == 3 and score < 9
    came_at = begun + timedelta(seconds=20 * assignment.position)
    return Rating(
        client_uuid=uuid.uuid4(),
        test_id=assignment.session.test_id,
        pair=pair,
        rater=assignment.rater,
        question=question,
        assignment=assignment,
        score=3 if is_trap else score,
        scale_min=0,
        scale_max=10,
        plays=1,
        heard_s=CLIP_S,
        shown_at=came_at - timedelta(seconds=0.95 * CLIP_S + think_s),
        submitted_at=came_at,
    )
