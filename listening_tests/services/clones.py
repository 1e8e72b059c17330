"""Copies of tests: the same settings, questions and sounds under a new address, without raters and answers."""

from collections.abc import Collection, Iterable
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from listening_tests.choices import PairRole, Role, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Member, Question, ScaleLabel, Trial, TrialPair
from listening_tests.models.listening_test import new_completion_code
from listening_tests.roles import Account
from listening_tests.services.batches import BATCH
from listening_tests.services.new_tests import LONGEST_SLUG

# What a copy has of its own.
_OWN_COLUMNS = frozenset(
    {
        *("id", "uuid", "slug", "title", "status", "created_at", "opened_at", "opens_at", "opens_forced"),
        *("opening_refused", "closes_at", "is_simulated", "pilot_of"),
    }
)
# Drawn or counted anew for a copy.
_OWN_OF_LEASED = frozenset({"id", "uuid", "test", "load", "shuffle_key", "repeat_of"})


@transaction.atomic
def test_clone(
    *,
    test: ListeningTest,
    user: Account | None,
    uuid: UUID | None = None,
    slug: str = "",
    title: str = "",
    pilot_of: ListeningTest | None = None,
    only: Collection[int] | None = None,
    ending: str = "copy",
) -> ListeningTest:
    """A draft with the settings, questions, checks, survey, screening rules, excluded raters, pairs and trials
    of `test`; its clips are shared.

    `user` becomes its owner. `uuid` is the copy's, so that a repeat of the request finds it. The address is `slug`,
    else one that is free, with the `ending`. `only` are the keys of the study pairs that are wanted, by default all; of
    trials, those that have one of them come whole. Raises Refused where `slug` is taken, or `test` is gone.
    """
    known = ListeningTest.objects.filter(uuid=uuid).first() if uuid else None
    if known is not None:
        return known
    source = ListeningTest.objects.select_for_update(no_key=True).filter(pk=test.pk).first()
    if source is None:
        raise Refused(f"The test {test.slug} was deleted meanwhile, so it cannot be copied. Choose another one.")
    copy = ListeningTest(
        **_same(source, _OWN_COLUMNS),
        uuid=uuid or uuid4(),
        slug=_free_slug(slug, source, "pilot" if pilot_of else ending),
        title=(title or f"{'Pilot' if pilot_of else 'Copy'} of {source.title}")[:200],
        status=TestStatus.DRAFT,
        is_simulated=pilot_of is not None,
        pilot_of=pilot_of,
    )
    if pilot_of is not None:
        # As many simulated raters as are asked for.
        copy.max_raters = None
    copy.save()
    _copy_questions(source, copy)
    wanted = None if only is None else _with_their_trials(source, only)
    _copy_trials(source, copy, _copy_pairs(source, copy, wanted))
    _copy_rows(source.screening_rules.all(), copy)
    if pilot_of is None:
        copy.excluded_tests.set(source.excluded_tests.all())
        _copy_rows(source.excluded_ids.all(), copy)
    if user is not None and user.pk is not None:
        Member.objects.create(test=copy, user_id=user.pk, role=Role.OWNER)
    return copy


def _same(row: Model, own: Iterable[str]) -> dict[str, Any]:
    """The columns of a row as they are, but for its `own`, and for codes, which are drawn anew."""
    fields = [field for field in row._meta.concrete_fields if field.name not in own]
    return {field.attname: getattr(row, field.attname) for field in fields if field.default is not new_completion_code}


def _free_slug(slug: str, source: ListeningTest, ending: str) -> str:
    if slug:
        if ListeningTest.objects.filter(slug=slug).exists():
            raise Refused(f"There is a test at the address {slug} already. Choose another address for the copy.")
        return slug
    taken = set(ListeningTest.objects.values_list("slug", flat=True))
    endings = (f"-{ending}" if number == 1 else f"-{ending}-{number}" for number in count(1))
    candidates = (source.slug[: LONGEST_SLUG - len(each)] + each for each in endings)
    return next(candidate for candidate in candidates if candidate not in taken)


def _copy_questions(source: ListeningTest, copy: ListeningTest) -> None:
    for question in source.questions.order_by("pk").prefetch_related("labels"):
        asked = Question.objects.create(**_same(question, {"id", "test"}), test=copy)
        ScaleLabel.objects.bulk_create(
            [ScaleLabel(**_same(label, {"id", "question"}), question=asked) for label in question.labels.all()]
        )
    _copy_rows(source.check_questions.order_by("pk"), copy)
    _copy_rows(source.survey_questions.order_by("pk"), copy)


def _copy_rows(rows: QuerySet[Any], copy: ListeningTest) -> None:
    rows.model._default_manager.bulk_create([rows.model(**_same(row, {"id", "test"}), test=copy) for row in rows])


def _with_their_trials(source: ListeningTest, only: Collection[int]) -> set[int]:
    """The keys, and those of pairs that are judged together with one of them."""
    trials = TrialPair.objects.filter(trial__test=source, trial__role=PairRole.STUDY, pair__in=only).values("trial")
    return {*only, *TrialPair.objects.filter(trial__in=trials).values_list("pair_id", flat=True)}


def _copy_pairs(source: ListeningTest, copy: ListeningTest, wanted: Collection[int] | None) -> dict[int, int]:
    """The keys of the copied pairs by those they are copied from. Repeats are left out: each sitting makes its own.

    Of study pairs only those `wanted`, where that is said.
    """
    originals = source.pairs.exclude(role=PairRole.REPEAT).order_by("pk")
    if wanted is not None:
        originals = originals.filter(~Q(role=PairRole.STUDY) | Q(pk__in=wanted))
    return _copied(originals, copy)


def _copied(rows: QuerySet[Any], copy: ListeningTest) -> dict[int, int]:
    keys: dict[int, int] = {}
    some: list[Any] = []
    for row in rows.iterator(chunk_size=BATCH):
        some.append(row)
        if len(some) == BATCH:
            keys |= _copied_batch(some, copy)
            some = []
    return keys | _copied_batch(some, copy)


def _copied_batch(rows: list[Any], copy: ListeningTest) -> dict[int, int]:
    if not rows:
        return {}
    model = type(rows[0])
    made = model._default_manager.bulk_create([model(**_same(row, _OWN_OF_LEASED), test=copy) for row in rows])
    return {row.pk: twin.pk for row, twin in zip(rows, made, strict=True)}


def _copy_trials(source: ListeningTest, copy: ListeningTest, pairs: dict[int, int]) -> None:
    """Those whose pairs were all copied."""
    partly = TrialPair.objects.filter(trial__test=source).exclude(pair__in=pairs).values("trial")
    whole = Trial.objects.filter(test=source).exclude(pk__in=partly)
    trials = _copied(whole.order_by("pk"), copy)
    members = TrialPair.objects.filter(trial__in=list(trials)).order_by("pk").values_list("trial_id", "pair_id")
    TrialPair.objects.bulk_create(
        [TrialPair(trial_id=trials[trial_id], pair_id=pairs[pair_id]) for trial_id, pair_id in members],
        batch_size=BATCH,
    )
