"""Migrations over a database that holds ratings: what was stored stays as it was, on scales of every kind."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from listening_tests.models import Question, Rating

# The tests' own database stands at the last migration, and the way back from there takes half a minute.
DATABASE = "migrated_here"
BEFORE, BETWEEN = "0005_what_consent_promised", "0006_kinds_of_tests"
NOW = "0007_answers_hold_to_their_question"
# A question's scale when it was rated, the scores, and its scale now: lower end, upper end, step.
RATED = {
    "whole": ((0, 10, 1), (0, 7, 10), (0, 10, 1)),
    "halves": ((1, 5, 0.5), (1, 2.5, 5), (1, 5, 0.5)),
    "tenths": ((0, 1, 0.1), (0, 0.3, 0.7, 1), (0, 1, 0.1)),
    "coarser since": ((1, 5, 0.5), (2.5, 3), (1, 5, 1)),
    "other steps since": ((0, 10, 1), (3, 4), (0, 10, 2)),
    "other ends since": ((0, 10, 1), (7,), (1, 5, 1)),
}


def migrate_to(name: str) -> Apps:
    """Forwards or backwards; the models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("listening_tests", name)])
    return MigrationExecutor(connection).loader.project_state([("listening_tests", name)]).apps


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An empty one beside the tests' own, which every query goes to."""
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
        connection.close()
        connection.settings_dict["NAME"] = DATABASE
        yield
        connection.close()
        connection.settings_dict["NAME"] = usual
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE}")


@pytest.fixture
def apps(database: None) -> Apps:
    """The models of 0005, and a database that stands there, with ratings on every scale."""
    apps = migrate_to(BEFORE)
    rate_everything(apps)
    return apps


def rate_everything(apps: Apps) -> None:
    test = make(apps, "ListeningTest", slug="rated", title="Rated")
    pair = make(apps, "Pair", test=test, clip=make(apps, "Clip"), caption=make(apps, "Caption", text="Rain"))
    for name, (then, scores, now) in RATED.items():
        question = make(apps, "Question", test=test, name=name.replace(" ", "-"), **scale(then))
        for score in scores:
            rate(apps, pair, question, score, then)
        # Nothing refused it at the time.
        type(question).objects.filter(pk=question.pk).update(**scale(now))


def rate(apps: Apps, pair: Any, question: Any, score: float, on: tuple[float, ...]) -> None:
    names = {"test_id": pair.test_id, "pair": pair, "rater": make(apps, "Rater"), "question": question}
    values = {"client_uuid": uuid4(), "source": "imported", "submitted_at": timezone.now(), "score": score}
    known = {field.name for field in apps.get_model("listening_tests", "Rating")._meta.fields}
    copied = {name: value for name, value in scale(on).items() if name in known}  # 0005 has no step.
    make(apps, "Rating", **names, **values, **copied)


def make(apps: Apps, model: str, **fields: object) -> Any:
    return apps.get_model("listening_tests", model).objects.create(**fields)


def scale(ends_and_step: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(("scale_min", "scale_max", "scale_step"), ends_and_step, strict=False))


def stored() -> dict[str, list[tuple[float, ...]]]:
    """By question: score, lower end, upper end and step of each rating."""
    found: dict[str, list[tuple[float, ...]]] = {}
    columns = ("question__name", "score", "scale_min", "scale_max", "scale_step")
    for name, *values in Rating.objects.order_by("pk").values_list(*columns):
        found.setdefault(name.replace("-", " "), []).append(tuple(values))
    return found


AS_RATED = {name: [(score, *then) for score in scores] for name, (then, scores, _) in RATED.items()}
# Which step they had is not known any more: the question's of today where the score is on it, else any score is.
AS_KNOWN = AS_RATED | {
    "coarser since": [(2.5, 1, 5, 0), (3, 1, 5, 1)],
    "other steps since": [(3, 0, 10, 0), (4, 0, 10, 2)],
}


def refused(**change: object) -> str:
    """The constraint that refuses a copy of the first rating with `change`."""
    rating = Rating.objects.order_by("pk")[0]
    for name, value in {"pk": None, "uuid": uuid4(), "client_uuid": uuid4(), **change}.items():
        setattr(rating, name, value)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        rating.save(force_insert=True)
    return str(refusal.value.__cause__.diag.constraint_name)  # type: ignore[union-attr] -- psycopg's error


def test_ratings_from_before_keep_what_was_rated_there_and_back_again(apps):
    """One walk, for each way takes seconds. Nothing is lost but the steps, which 0005 does not know."""
    migrate_to(NOW)
    assert stored() == AS_KNOWN
    # What comes from now on is held to its question, also where older ratings are not.
    changed = Question.objects.get(name="other-ends-since")
    assert refused(question_id=changed.pk, score=7, **scale((0, 10, 1))) == "rating_of_question_and_scale"
    assert refused(score=7.5) == "rating_score_on_step"
    with pytest.raises(IntegrityError, match="Ratings are never edited"), transaction.atomic():
        Rating.objects.update(score=1)

    migrate_to(BEFORE)
    migrate_to(NOW)
    assert stored() == AS_KNOWN
    between = migrate_to(BETWEEN)
    pair = between.get_model("listening_tests", "Pair").objects.get()
    question = make(between, "Question", test_id=pair.test_id, name="continuous", **scale((0, 100, 0)))
    rate(between, pair, question, 33.333, (0, 100, 0))
    migrate_to(NOW)
    assert stored() == AS_KNOWN | {"continuous": [(33.333, 0, 100, 0)]}
    assert refused(question_id=question.pk, **scale((0, 99, 0))) == "rating_of_question_and_scale"
