"""Rows of imported ratings: raters, pairs, trials, answers and exclusions, written in bulk within one transaction.

A uuid of the file is kept where nobody else has it. Where an answer, pair or trial of another test has it, another one
is derived from it and the test's own, the same again each time: so the same file finds what it made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

from django.db.models import F, Model

from listening_tests.choices import OUTSIDE_OF_K, PairRole, Source
from listening_tests.kinds import kind_of
from listening_tests.kinds.kind import AnswerRow
from listening_tests.models import (
    Comparison,
    Exclusion,
    ListeningTest,
    Pair,
    Question,
    Rater,
    Rating,
    Trial,
    TrialPair,
)
from listening_tests.services.batches import BATCH, batches
from listening_tests.services.imported_answers import (
    ClipKey,
    ImportedAnswer,
    ImportedAnswers,
    ImportedPair,
    PairKey,
)
from listening_tests.services.trials import trials_by_pairs

# Of a pair that is there already, what a file may say too.
_SAID_OF_PAIRS = ("system", "source_id", "role", "expected_min", "expected_max", "own_split")


@dataclass
class Places:
    """Where the rows lie that the answers need: keys by what the file calls them. `problems` is what does not agree."""

    test: ListeningTest
    questions: Mapping[str, Question]
    raters: Mapping[str, int]
    pairs: Mapping[PairKey, Pair]
    trials: Mapping[UUID, Trial]
    problems: list[str]


@dataclass(frozen=True)
class StoredAnswers:
    new: list[AnswerRow]
    known: int
    exclusions: int


def rater_uuid(*, test: ListeningTest, rater: str) -> UUID:
    """The pseudonym of whom a file calls `rater`: that uuid, or one that the test and the name give."""
    try:
        return UUID(rater)
    except ValueError:
        return uuid5(test.uuid, f"rater {rater}")


def raters_store(*, test: ListeningTest, raters: Iterable[str]) -> dict[str, int]:
    uuids = {rater: rater_uuid(test=test, rater=rater) for rater in raters}
    ordered = sorted(set(uuids.values()))
    rows = [Rater(uuid=uuid, source=Source.IMPORTED) for uuid in ordered]
    Rater.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    ids: dict[UUID, int] = {}
    for batch in batches(ordered):
        ids |= dict(Rater.objects.filter(uuid__in=batch).values_list("uuid", "pk"))
    return {rater: ids[uuid] for rater, uuid in uuids.items()}


def pairs_store(
    *,
    test: ListeningTest,
    pairs: Mapping[PairKey, ImportedPair],
    clips: Mapping[ClipKey, int],
    captions: Mapping[tuple[str, str], int],
) -> tuple[dict[PairKey, Pair], list[str]]:
    """The test's pairs by clip and caption, those made that are not there; and what the test says otherwise of them."""
    there = {
        (pair.clip_id, pair.caption_id, pair.repeat_of_id is not None): pair for pair in Pair.objects.filter(test=test)
    }
    uuids = _free_uuids(Pair, test, [pair.uuid for pair in pairs.values()])
    found: dict[PairKey, Pair] = {}
    new, problems = [], []
    # What is repeated comes before its repeats.
    for key, pair in sorted(pairs.items(), key=lambda item: item[1].is_repeat):
        place = (clips[pair.clip.key], captions[pair.caption, pair.language])
        row = there.get((*place, pair.is_repeat))
        original = there.get((*place, False)) if pair.is_repeat else None
        if pair.is_repeat and original is None:
            problems.append(f"{pair.place}, role: It is a repeat, and no row has its first time. Add one.")
            continue
        if row is None:
            row = there[*place, pair.is_repeat] = _new_pair(test, pair, *place, uuids)
            row.repeat_of = original
            new.append(row)
        else:
            problems += _disagreements(pair, row)
        found[key] = row
    Pair.objects.bulk_create([row for row in new if row.repeat_of is None], batch_size=BATCH)
    Pair.objects.bulk_create([row for row in new if row.repeat_of is not None], batch_size=BATCH)
    _fill_splits(pairs, found)
    return found, problems


def _new_pair(
    test: ListeningTest, pair: ImportedPair, clip_id: int, caption_id: int, uuids: Mapping[UUID | None, UUID]
) -> Pair:
    return Pair(
        uuid=uuids.get(pair.uuid) or uuid4(),
        test=test,
        clip_id=clip_id,
        caption_id=caption_id,
        role=pair.role or PairRole.STUDY,
        system=pair.system,
        source_id=pair.source_id,
        expected_min=pair.expected_min,
        expected_max=pair.expected_max,
        own_split=pair.own_split,
    )


def _disagreements(pair: ImportedPair, row: Pair) -> list[str]:
    """What is said in both places, and not the same."""
    return [
        f"{pair.place}, {column}: It is {getattr(pair, column)!r} here, and {getattr(row, column)!r} in the test."
        for column in _SAID_OF_PAIRS
        if getattr(pair, column) not in ("", None)
        and getattr(row, column) not in ("", None)
        and getattr(pair, column) != getattr(row, column)
    ]


def _fill_splits(pairs: Mapping[PairKey, ImportedPair], found: Mapping[PairKey, Pair]) -> None:
    """Pairs that were here before their data set came with its split get it."""
    lacking: dict[str, list[int]] = {}
    for key, pair in pairs.items():
        if pair.own_split is not None and found[key].own_split is None:
            lacking.setdefault(pair.own_split, []).append(found[key].pk)
    for split, keys in lacking.items():
        for batch in batches(sorted(keys)):
            Pair.objects.filter(pk__in=batch).update(own_split=split)


def trials_store(
    *, test: ListeningTest, found: ImportedAnswers, pairs: Mapping[PairKey, Pair]
) -> tuple[dict[UUID, Trial], list[str]]:
    """The test's trials by the file's uuids: those of the same uuid, else of the same pairs, else new ones."""
    if not found.trials:
        return {}, []
    known = trials_by_pairs(test=test)
    by_uuid = {trial.uuid: (trial, members) for members, trial in known.items()}
    uuids = _free_uuids(Trial, test, found.trials)
    trials: dict[UUID, Trial] = {}
    members: list[TrialPair] = []
    new, problems = [], []
    for uuid, imported in found.trials.items():
        keys = frozenset(pairs[key].pk for key in imported.pairs)
        trial, its_keys = by_uuid.get(uuid) or by_uuid.get(uuid5(test.uuid, str(uuid))) or (known.get(keys), keys)
        if trial is None:
            first = pairs[next(iter(imported.pairs))]
            role = found.trial_role(imported)
            trial = Trial(uuid=uuids[uuid], test=test, caption_id=first.caption_id, role=role)
            known[keys] = trial
            new.append(trial)
            members += [TrialPair(trial=trial, pair_id=pairs[key].pk) for key in imported.pairs]
        elif not keys <= its_keys:
            problems.append(f"{imported.place}, trial_uuid: The test has this trial with other pairs.")
        trials[uuid] = trial
    Trial.objects.bulk_create(new, batch_size=BATCH)
    for member in members:
        member.trial_id = member.trial.pk
    TrialPair.objects.bulk_create(members, batch_size=BATCH)
    return trials, problems


def _free_uuids(model: type[Model], test: ListeningTest, uuids: Iterable[UUID | None]) -> dict[UUID | None, UUID]:
    """For each uuid of the file the one that a new row gets: itself, or one derived where another row has it."""
    wanted = sorted({uuid for uuid in uuids if uuid is not None})
    taken = _taken(model, "uuid", wanted)
    return {uuid: uuid5(test.uuid, str(uuid)) if uuid in taken else uuid for uuid in wanted}


def _taken(model: type[Model], column: str, uuids: list[UUID]) -> set[UUID]:
    taken: set[UUID] = set()
    for batch in batches(uuids):
        taken |= set(model._default_manager.filter(**{f"{column}__in": batch}).values_list(column, flat=True))
    return taken


def answers_store(*, answers: list[ImportedAnswer], places: Places, now: datetime) -> StoredAnswers:
    """Writes the answers that are not there. What is there already must say the same, else `places.problems` tells so,
    and nothing was written.
    """
    model = kind_of(places.test).answers
    uuids = {id(answer): _answer_uuid(places.test, answer) for answer in answers}
    there = _answers_there(model, uuids.values(), places.test)
    new: list[tuple[ImportedAnswer, UUID]] = []
    known: list[AnswerRow] = []
    for answer in answers:
        uuid = uuids[id(answer)]
        derived = uuid5(places.test.uuid, str(uuid))
        row = next((there[one] for one in (uuid, derived) if one in there and _is_here(there[one], places)), None)
        if row is None:
            new.append((answer, derived if uuid in there else uuid))
        else:
            known.append(row)
            if _said(row) != _says(answer, places):
                places.problems.append(f"{answer.place}: The test has this answer already, and it says something else.")
    if places.problems:
        return StoredAnswers([], len(known), 0)
    rows = _write(model, new, places, now)
    exclusions = _exclude(model, [answer for answer, _ in new], rows)
    _count_loads(rows, known)
    return StoredAnswers(rows, len(known), exclusions)


def _answer_uuid(test: ListeningTest, answer: ImportedAnswer) -> UUID:
    """Of a file without uuids: who rated what gives it."""
    if answer.uuid is not None:
        return answer.uuid
    return uuid5(test.uuid, f"answer {answer.question} {answer.rater} {answer.pairs}")


def _answers_there(model: type[AnswerRow], uuids: Iterable[UUID], test: ListeningTest) -> dict[UUID, AnswerRow]:
    """Answers of any test under a uuid of the file, or under the one derived from it."""
    wanted = sorted({one for uuid in uuids for one in (uuid, uuid5(test.uuid, str(uuid)))})
    there: dict[UUID, AnswerRow] = {}
    for batch in batches(wanted):
        there |= {row.uuid: row for row in model._default_manager.filter(uuid__in=batch)}
    return there


def _is_here(row: AnswerRow, places: Places) -> bool:
    return row.test_id == places.test.pk


def _said(row: AnswerRow) -> tuple[object, ...]:
    return (row.rater_id, *row.said)


def _says(answer: ImportedAnswer, places: Places) -> tuple[object, ...]:
    pairs = tuple(places.pairs[key].pk for key in answer.pairs)
    said = answer.choice or answer.score
    return (places.raters[answer.rater], places.questions[answer.question].pk, *pairs, said)


def _write(
    model: type[AnswerRow], new: list[tuple[ImportedAnswer, UUID]], places: Places, now: datetime
) -> list[AnswerRow]:
    clients = _client_uuids(places.test, new)
    rows = [_row(answer, uuid, clients[uuid], places, now) for answer, uuid in new]
    model._default_manager.bulk_create(rows, batch_size=BATCH)  # type: ignore[arg-type]
    return rows


def _client_uuids(test: ListeningTest, new: list[tuple[ImportedAnswer, UUID]]) -> dict[UUID, UUID]:
    """By the answer's uuid: the client uuid of the file where it is free, else one derived."""
    wanted = sorted({answer.client_uuid for answer, _ in new if answer.client_uuid is not None})
    taken = _taken(Rating, "client_uuid", wanted) | _taken(Comparison, "client_uuid", wanted)
    clients: dict[UUID, UUID] = {}
    for answer, uuid in new:
        client = answer.client_uuid
        clients[uuid] = uuid5(test.uuid, f"client {uuid}") if client is None or client in taken else client
        taken.add(clients[uuid])
    return clients


def _row(answer: ImportedAnswer, uuid: UUID, client_uuid: UUID, places: Places, now: datetime) -> AnswerRow:
    question = places.questions[answer.question]
    shared: dict[str, Any] = {
        "uuid": uuid,
        "client_uuid": client_uuid,
        "test_id": places.test.pk,
        "rater_id": places.raters[answer.rater],
        "question_id": question.pk,
        "trial_id": places.trials[answer.trial].pk if answer.trial else None,
        "source": Source.IMPORTED,
        "shown_at": answer.shown_at,
        "submitted_at": answer.submitted_at or now,
        "late": answer.late,
        "too_soon": answer.too_soon,
    }
    pairs = [places.pairs[key] for key in answer.pairs]
    if len(pairs) == 1:
        return _rating(answer, pairs[0], question, shared)
    (first_plays, first_heard_s), (second_plays, second_heard_s) = answer.heard
    return Comparison(
        first_id=pairs[0].pk,
        second_id=pairs[1].pk,
        choice=answer.choice,
        first_plays=first_plays,
        first_heard_s=first_heard_s,
        second_plays=second_plays,
        second_heard_s=second_heard_s,
        **shared,
    )


def _rating(answer: ImportedAnswer, pair: Pair, question: Question, shared: dict[str, Any]) -> Rating:
    plays, heard_s = answer.heard[0]
    return Rating(
        pair_id=pair.pk,
        place=answer.place_in_trial,
        score=cast(float, answer.score),
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        scale_step=question.scale_step,
        plays=plays,
        heard_s=heard_s,
        **shared,
    )


def _exclude(model: type[AnswerRow], answers: list[ImportedAnswer], rows: list[AnswerRow]) -> int:
    name = "comparison" if model is Comparison else "rating"
    exclusions = [
        Exclusion(**{name: row}, rule=told.rule, version=told.version, reason=told.reason)
        for answer, row in zip(answers, rows, strict=True)
        for told in answer.exclusions
    ]
    Exclusion.objects.bulk_create(exclusions, batch_size=BATCH)
    return len(exclusions)


def _count_loads(new: list[AnswerRow], known: list[AnswerRow]) -> None:
    """What was rated elsewhere counts towards k here too: once for each rater and pair, or rater and trial."""
    counted = {_unit(row) for row in known}
    loads: dict[type[Pair] | type[Trial], dict[int, int]] = {Pair: {}, Trial: {}}
    for unit in {_unit(row) for row in new} - counted:
        _, model, key = unit
        loads[model][key] = loads[model].get(key, 0) + 1
    for model, counts in loads.items():
        # Locked in the order of their keys, as everywhere.
        for batch in batches(sorted(counts)):
            rows = model._default_manager.filter(pk__in=batch).exclude(role__in=OUTSIDE_OF_K).order_by("pk")
            free = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
            for load in sorted({counts[pk] for pk in free}):
                same = [pk for pk in free if counts[pk] == load]
                model._default_manager.filter(pk__in=same).update(load=F("load") + load)


def _unit(row: AnswerRow) -> tuple[int, type[Pair] | type[Trial], int]:
    if isinstance(row, Rating) and row.trial_id is None:
        return (row.rater_id, Pair, row.pair_id)
    return (row.rater_id, Trial, cast(int, row.trial_id))
