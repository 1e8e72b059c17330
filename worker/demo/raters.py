"""The demo's raters: simulated people with RELATE's noise, who sit down on past days and rate as a browser would."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count
from django.utils import timezone

from listening_tests.choices import CheckOutcome, PairRole, SessionStatus, Source
from listening_tests.models import Assignment, Consent, ListeningTest, Pair, Question, Rater, Rating, Session
from listening_tests.services.ratings import HEARD_SHARE
from listening_tests.sitting_plan import pair_estimate_s
from modeling.synthetic import SimulatedScore, simulate_scores
from worker.demo.stimuli import SEED, Truth

RATINGS_PER_PAIR = 4
PAIRS_PER_RATER = 20
DAYS = 14
SECONDS_OF_SOUND_SET_UP = 20
SECONDS_BEFORE_FIRST_PAIR = 30
_BATCH = 2000
# Columns of a session that are known once its answers are.
_SET_LATER = (
    "started_at",
    "sound_set_up_at",
    "finished_at",
    "questionnaire_at",
    "needed_s",
    "elapsed_s",
    "pair_estimate_s",
)


@dataclass(frozen=True)
class _Sitting:
    """One rater's session and what they scored in it, in order."""

    session: Session
    scores: list[SimulatedScore]


def ratings_simulate(*, test: ListeningTest, truth: Truth, now: datetime | None = None) -> int:
    """Gives every study pair its simulated ratings, and returns how many. Runs inside a transaction.

    Each rating has what a real one has: an assignment that was leased, plays, seconds heard, and times.
    """
    now = now or timezone.now()
    pairs = list(Pair.objects.filter(test=test, role=PairRole.STUDY).select_related("clip").order_by("id"))
    scores = simulate_scores(
        [truth[pair.source_id, pair.system] for pair in pairs],
        seed=SEED,
        ratings_per_pair=RATINGS_PER_PAIR,
        pairs_per_rater=PAIRS_PER_RATER,
    )
    rng = np.random.default_rng(SEED)
    sittings = _sittings(test, scores, rng, now)
    question = test.questions.order_by("id")[0]
    ratings = [rating for sitting in sittings for rating in _answers(sitting, pairs, question, rng)]
    Session.objects.bulk_update([sitting.session for sitting in sittings], _SET_LATER)
    Assignment.objects.bulk_create([rating.assignment for rating in ratings if rating.assignment], batch_size=_BATCH)
    Rating.objects.bulk_create(ratings, batch_size=_BATCH)
    _count_loads(test)
    return len(ratings)


def _sittings(
    test: ListeningTest, scores: Sequence[SimulatedScore], rng: np.random.Generator, now: datetime
) -> list[_Sitting]:
    by_rater: dict[int, list[SimulatedScore]] = {}
    for score in scores:
        by_rater.setdefault(score.rater, []).append(score)
    raters = Rater.objects.bulk_create([Rater(source=Source.SIMULATED) for _ in by_rater])
    consents = Consent.objects.bulk_create(
        [Consent(rater=rater, test=test, version=test.consent_version) for rater in raters]
    )
    sessions = Session.objects.bulk_create(
        [
            Session(
                test=test,
                rater=rater,
                consent=consent,
                status=SessionStatus.COMPLETE,
                planned_count=len(own),
                saved_count=len(own),
                timed_count=len(own),
                check_attempts=1,
                left_right=CheckOutcome.PASSED,
                finished_at=now,
            )
            for rater, consent, own in zip(raters, consents, by_rater.values(), strict=True)
        ]
    )
    for session, consent, rater in zip(sessions, consents, raters, strict=True):
        session.started_at = consent.given_at = rater.created_at = _time_of_sitting(rng, now)
    Consent.objects.bulk_update(consents, ["given_at"])
    Rater.objects.bulk_update(raters, ["created_at"])
    return [
        _Sitting(session, [own[place] for place in rng.permutation(len(own))])
        for session, own in zip(sessions, by_rater.values(), strict=True)
    ]


def _time_of_sitting(rng: np.random.Generator, now: datetime) -> datetime:
    """A time of day between 8 and 22 on one of the past days: few come at first, then more, then fewer."""
    day = 1 + int(rng.binomial(DAYS - 1, rng.beta(2.0, 2.5)))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=day)
    return midnight + timedelta(hours=float(rng.uniform(8, 22)))


def _answers(
    sitting: _Sitting, pairs: Sequence[Pair], question: Question, rng: np.random.Generator
) -> Iterator[Rating]:
    session = sitting.session
    session.sound_set_up_at = session.started_at + timedelta(seconds=SECONDS_OF_SOUND_SET_UP)
    shown_at = session.started_at + timedelta(seconds=SECONDS_BEFORE_FIRST_PAIR)
    session.pair_estimate_s = pair_estimate_s(
        durations_s=[pairs[score.pair].clip.duration_s for score in sitting.scores]
    )
    lease = timedelta(minutes=session.test.lease_minutes)
    for position, score in enumerate(sitting.scores, start=1):
        pair, plays = pairs[score.pair], 1 + int(rng.geometric(0.6) - 1)
        duration = pair.clip.duration_s or 0.0
        submitted_at = shown_at + timedelta(seconds=plays * duration + float(rng.gamma(3.0, 1.5)) + 1.0)
        assignment = Assignment(
            session=session,
            rater=session.rater,
            pair=pair,
            position=position,
            propensity=1 / len(pairs),
            leased_at=shown_at,
            lease_expires_at=shown_at + lease,
            rated_at=submitted_at,
        )
        yield _rating(assignment, score, question, shown_at, submitted_at, plays, duration)
        session.needed_s += HEARD_SHARE * duration
        session.elapsed_s += (submitted_at - shown_at).total_seconds()
        shown_at = submitted_at
    session.finished_at = session.questionnaire_at = shown_at


def _rating(
    assignment: Assignment,
    score: SimulatedScore,
    question: Question,
    shown_at: datetime,
    submitted_at: datetime,
    plays: int,
    heard_s: float,
) -> Rating:
    return Rating(
        client_uuid=assignment.uuid,
        test=assignment.session.test,
        pair=assignment.pair,
        rater=assignment.rater,
        question=question,
        assignment=assignment,
        source=Source.SIMULATED,
        score=score.score,
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        plays=plays,
        heard_s=heard_s,
        shown_at=shown_at,
        submitted_at=submitted_at,
    )


def _count_loads(test: ListeningTest) -> None:
    """A pair's load is its ratings: no lease is open."""
    pairs = list(Pair.objects.filter(test=test, role=PairRole.STUDY).annotate(n=Count("ratings")))
    for pair in pairs:
        pair.load = pair.n
    Pair.objects.bulk_update(pairs, ["load"], batch_size=_BATCH)
