"""Makers of what the dashboard shows: ratings with all their evidence, and runs in each of their states."""

import uuid
from datetime import datetime, timedelta
from itertools import count, islice

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.utils import timezone

from listening_tests.choices import Role, Source
from listening_tests.models import Assignment, Consent, ListeningTest, Member, Pair, Rater, Rating, Session
from modeling.splits import HELDOUT, caption_split
from tests.factories import make_caption, make_clip, make_pair, make_test
from worker.models import DatasetSnapshot, MeasuredModel, Metric, MetricName, ModelVersion, Prediction, TrainingRun
from worker.models import RunStatus as Status
from worker.selectors import MIN_HELDOUT_PAIRS

INTERVALS = {
    MeasuredModel.BASE: {"srcc": (0.31, 0.17, 0.44), "lcc": (0.29, 0.15, 0.42), "ktau": (0.22, 0.12, 0.31)},
    MeasuredModel.TUNED: {"srcc": (0.62, 0.53, 0.7), "lcc": (0.64, 0.55, 0.72), "ktau": (0.46, 0.39, 0.53)},
    MeasuredModel.DIFFERENCE: {"srcc": (0.31, 0.22, 0.4), "lcc": (0.35, 0.25, 0.45), "ktau": (0.24, 0.17, 0.31)},
}
SQUARED_ERRORS = {
    MeasuredModel.BASE: (11.42, 9.8, 13.1),
    MeasuredModel.TUNED: (4.87, 4.1, 5.7),
    MeasuredModel.DIFFERENCE: (-6.55, -8.2, -4.9),
}


def make_staff(username: str = "researcher") -> User:
    """An account that may do everything with every test."""
    return get_user_model().objects.create_superuser(username, password="correct horse")


def make_member(test: ListeningTest, role: Role = Role.OWNER, username: str = "member") -> User:
    """An account of staff that works on `test`, and on no other."""
    user = get_user_model().objects.create_user(username, password="correct horse", is_staff=True)
    Member.objects.create(test=test, user=user, role=role)
    return user


def make_session(test: ListeningTest, rater: Rater | None = None) -> Session:
    rater = rater or Rater.objects.create(source=Source.SIMULATED if test.is_simulated else Source.COLLECTED)
    consent = Consent.objects.create(rater=rater, test=test, version=test.consent_version)
    return Session.objects.create(test=test, rater=rater, consent=consent, planned_count=test.pairs_per_session)


def make_rating(
    pair: Pair, score: float, *, session: Session | None = None, submitted_at: datetime | None = None
) -> Rating:
    """A rating that somebody gave, with the assignment and the play evidence that the database asks for."""
    session = session or make_session(pair.test)
    submitted_at = submitted_at or timezone.now()
    assignment = Assignment.objects.create(
        session=session,
        rater=session.rater,
        pair=pair,
        position=session.assignments.count(),
        propensity=1.0,
        leased_at=submitted_at - timedelta(seconds=20),
        lease_expires_at=submitted_at + timedelta(minutes=30),
        rated_at=submitted_at,
    )
    question = pair.test.questions.get()
    return Rating.objects.create(
        client_uuid=uuid.uuid4(),
        test=pair.test,
        pair=pair,
        rater=session.rater,
        question=question,
        assignment=assignment,
        source=session.rater.source,
        score=score,
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        plays=1,
        heard_s=pair.clip.duration_s or 0,
        shown_at=submitted_at - timedelta(seconds=15),
        submitted_at=submitted_at,
    )


def make_run(test: ListeningTest, status: str, **fields: object) -> TrainingRun:
    values: dict[str, object] = {"preset": "small"}
    if status != Status.QUEUED:
        values |= {"started_at": timezone.now() - timedelta(minutes=3), "host": "bench"}
    if status not in {Status.QUEUED, Status.RUNNING, Status.CANCELLING}:
        values["finished_at"] = timezone.now()
    return TrainingRun.objects.create(test=test, status=status, **values | fields)


def make_running_run(test: ListeningTest, **fields: object) -> TrainingRun:
    values = {"phase": "training", "step": 120, "total_steps": 400, "loss": 1.234, "seconds_left": 95.0}
    return make_run(test, Status.RUNNING, heartbeat_at=timezone.now(), **values | fields)


def make_snapshot(test: ListeningTest) -> DatasetSnapshot:
    return DatasetSnapshot.objects.create(
        test=test, directory="snapshots/1", sha256="5a" * 32, n_ratings=3360, n_pairs=840, n_raters=168
    )


def make_metric(run: TrainingRun, model: str, name: str, value: float, low: float, high: float) -> Metric:
    return Metric.objects.create(run=run, model=model, name=name, value=value, low=low, high=high, n=168)


def make_done_run(test: ListeningTest, **fields: object) -> TrainingRun:
    """A finished run with every number of its report, and no predictions."""
    values = {
        "snapshot": make_snapshot(test),
        "config": {"model": "builtin", "epochs": 12, "losses": {"wsce": 1.0, "mae": 1.0}},
        "base_model": "builtin",
        **{"n_heldout": 168, "n_train": 640, "n_dropped": 32, "step": 400, "total_steps": 400},
    }
    run = make_run(test, Status.DONE, **values | fields)
    for model, metrics in INTERVALS.items():
        for name, numbers in metrics.items():
            make_metric(run, model, name, *numbers)
        make_metric(run, model, MetricName.MSE, *SQUARED_ERRORS[model])
    make_metric(run, MeasuredModel.ONE_VS_REST, MetricName.SRCC, 0.51, 0.45, 0.57)
    make_metric(run, MeasuredModel.CEILING, MetricName.SRCC, 0.8, 0.77, 0.83)
    ModelVersion.objects.create(run=run, directory="models/1", weights_sha256="c3" * 32)
    return run


def make_prediction(run: TrainingRun, pair: Pair | None = None, **fields: float) -> Prediction:
    values = {"human_mean": 7.5, "n_ratings": 4, "base_cosine": 0.21, "tuned_cosine": 0.68, "tuned_score": 7.1}
    return Prediction.objects.create(run=run, pair=pair or make_pair(run.test), **values | fields)


def make_trainable_test(**fields: object) -> ListeningTest:
    """A test with just enough rated pairs that the split holds out."""
    test = make_test(**fields)
    clip, session = make_clip(), make_session(test)
    texts = (f"A sound, number {number}" for number in count())
    held_out = (text for text in texts if caption_split(text, str(test.uuid)) == HELDOUT)
    for text in islice(held_out, MIN_HELDOUT_PAIRS):
        make_rating(make_pair(test, clip=clip, caption=make_caption(text)), 5, session=session)
    return test
