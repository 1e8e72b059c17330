"""Reads that are compiled once: the same rows as their queryset finds, whatever is asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.compiled_reads import CompiledRead, columns_of, row_of
from listening_tests.models import Caption, ListeningTest, Pair
from tests.factories import make_caption, make_pair, make_test
from worker.models import TrainingRun

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    made: list[str] = []

    def make(slug: str, uuid: UUID) -> QuerySet[Pair, tuple[str, str]]:
        made.append(slug)
        pairs = Pair.objects.filter(test__slug=slug, clip__uuid=uuid, role=PairRole.STUDY)
        return pairs.order_by("pk").values_list("caption__text", "test__slug")

    read = CompiledRead(make, slug=str, uuid=UUID)
    rain, wind = (make_pair(make_test(slug=slug), caption=make_caption(f"the {slug}")) for slug in ("rain", "wind"))

    assert read.rows(slug="rain", uuid=rain.clip.uuid) == [("the rain", "rain")]
    assert read.first(slug="wind", uuid=wind.clip.uuid) == ("the wind", "wind")
    assert read.first(slug="wind", uuid=rain.clip.uuid) is None
    assert read.first(slug="' OR true --", uuid=rain.clip.uuid) is None
    Pair.objects.update(role=PairRole.PRACTICE)
    assert read.rows(slug="rain", uuid=rain.clip.uuid) == []
    assert len(made) == 1


def test_numbers_and_times() -> None:
    read = CompiledRead(
        lambda pk, since: ListeningTest.objects.filter(pk__gte=pk, created_at__gt=since).values_list("slug")[:1],
        pk=int,
        since=datetime,
    )
    test = make_test(slug="rain")
    assert read.rows(pk=test.pk, since=timezone.now() - timedelta(days=1)) == [("rain",)]
    assert read.rows(pk=test.pk + 1, since=timezone.now() - timedelta(days=1)) == []
    assert read.rows(pk=test.pk, since=datetime(9999, 1, 1, tzinfo=UTC)) == []


def test_a_row_is_that_of_the_queryset() -> None:
    user = User.objects.create(username="ann", is_staff=True)
    read = CompiledRead(lambda name: User.objects.filter(username=name).values_list(*columns_of(User)), name=str)

    found = read.first(name="ann")

    assert found is not None
    row = row_of(User, found)
    assert row == user
    assert {name: getattr(row, name) for name in columns_of(User)} == User.objects.values().get()
    row.first_name = "Ann"
    row.save()
    assert User.objects.get().first_name == "Ann"


def test_what_can_find_nothing_finds_nothing() -> None:
    make_test(slug="rain")
    read = CompiledRead(lambda slug: ListeningTest.objects.none().filter(slug=slug).values_list("pk"), slug=str)
    assert read.rows(slug="rain") == []
    assert read.first(slug="rain") is None


def test_columns_that_django_converts_are_refused() -> None:
    read = CompiledRead(lambda uuid: TrainingRun.objects.filter(uuid=uuid).values_list("config"), uuid=UUID)
    with pytest.raises(TypeError, match="Columns of this read are converted by Django: SELECT"):
        read.rows(uuid=uuid4())


def test_letters_of_every_kind_are_asked_for() -> None:
    text = "Rain 100 % \U0001f327 'on' a \"roof\" \\ %s"
    make_caption(text)
    read = CompiledRead(lambda text: Caption.objects.filter(text=text).values_list("text"), text=str)
    assert read.rows(text=text) == [(text,)]
