"""Ratings from elsewhere, taken into a test whole or not at all: others' data sets, and Earmark's own exports.

Every row is checked, and every sound, before a row is written. Then all are written in one transaction. What is there
already stays as it is, so that the same file again changes nothing.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question, Rater, ScaleLabel, Withdrawal
from listening_tests.rating_layouts import LAYOUTS
from listening_tests.services.captions import captions_store
from listening_tests.services.imported_answers import ImportedAnswer, ImportedAnswers, ImportedQuestion
from listening_tests.services.new_tests import test_named
from listening_tests.services.planner import planner_inform
from listening_tests.services.rating_rows import RatingsRefused, rating_rows_read
from listening_tests.services.rating_sounds import (
    FoundSounds,
    StoredClips,
    clips_store,
    sounds_find,
    sounds_store,
)
from listening_tests.services.rating_storage import (
    Places,
    StoredAnswers,
    answers_store,
    pairs_store,
    rater_uuid,
    raters_store,
    trials_store,
)
from listening_tests.services.sound_folders import Progress, sound_folder

_KINDS = {
    TestKind.RATING: "single ratings",
    TestKind.COMPARISON: "paired comparisons",
    TestKind.SIDE_BY_SIDE: "ratings side by side",
}


@dataclass(frozen=True)
class ImportSummary:
    """What a file held, and what of it is new. `left_out` counts answers of raters who have withdrawn."""

    test: ListeningTest
    file: str
    new: int
    known: int
    left_out: int
    exclusions: int
    raters: int
    pairs: int
    clips: int
    mute_clips: int
    sounded_clips: int

    def __str__(self) -> str:
        return "\n".join([self._headline(), *self._notes()])

    def _headline(self) -> str:
        if not self.new:
            there = _counted(self.known, "answer")
            return f"Nothing is new: the test {self.test.slug} has the {there} of {self.file} already."
        counts = f"{_counted(self.raters, 'rater')}, {_counted(self.pairs, 'pair')}, {_counted(self.clips, 'clip')}"
        known = f" {self.known:,} were there already." if self.known else ""
        return f"Imported {_counted(self.new, 'answer')} into the test {self.test.slug} ({counts}).{known}"

    def _notes(self) -> list[str]:
        mute = self.mute_clips if self.new else 0
        notes = {
            f"{_counted(self.exclusions, 'exclusion')} came with them.": self.exclusions,
            f"{_counted(self.left_out, 'answer')} of raters who have withdrawn were left out.": self.left_out,
            f"{_counted(self.sounded_clips, 'clip')} that had no sound got it.": self.sounded_clips,
            f"{_counted(mute, 'clip')} came without sound: the ratings count in statistics, but raters do not hear "
            "these clips, and no model trains on them. Give the folder or the zip of the sounds with --audio.": mute,
        }
        return [note for note, count in notes.items() if count]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True)
class _Stored:
    """What one transaction wrote."""

    test: ListeningTest
    clips: StoredClips
    answers: StoredAnswers
    left_out: int


def ratings_import(
    *,
    path: Path,
    layout: str,
    slug: str,
    create: bool = False,
    audio: Path | None = None,
    on_progress: Progress | None = None,
) -> ImportSummary:
    """Takes the answers of a file into the test `slug`, as imported ones.

    `create` makes the test from what the rows say of it, as a draft, where there is none. `audio` is a folder, or a
    zip, to look for sounds in. Raises RatingsRefused with every row that cannot be used, or Refused where it is not a
    matter of rows; then nothing has changed.
    """
    tell = on_progress or _say_nothing
    test = _test_to_import_into(slug, create=create)
    found = rating_rows_read(laid_out=LAYOUTS[layout].read(path), file=path.name)
    _refuse_other(test, found, path.name)
    names = [clip.name for clip in found.clips.values()]
    with (
        tempfile.TemporaryDirectory(prefix="earmark-import-") as staged,
        sound_folder(audio=audio, names=names, on_progress=tell) as folder,
    ):
        sounds = sounds_find(
            clips=found.clips.values(),
            folder=folder,
            called=f"{audio}, the sounds of {path.name},",
            staged=Path(staged),
            on_progress=tell,
        )
        sounds_store(found=sounds, staged=Path(staged), on_progress=tell)
    tell("Storing answers", 0, len(found.answers))
    stored = _store(test, found, sounds, path.name)
    planner_inform(n_new=len(stored.answers.new))
    return _summary(found, stored, path.name)


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Where nobody wants to know how far it is."""


def _test_to_import_into(slug: str, *, create: bool) -> ListeningTest:
    test = ListeningTest.objects.filter(slug=slug).first()
    if test is None and not create:
        raise Refused(f"There is no test {slug}. Check its name, or make it as a draft with --create.")
    return test or test_named(slug=slug)


def _refuse_other(test: ListeningTest, found: ImportedAnswers, file: str) -> None:
    """Where the test is there, it must ask what the file answers."""
    if test.pk is None:
        return
    if test.kind != found.kind:
        raise Refused(
            f"{file} holds {_KINDS[found.kind]}, and the test {test.slug} is one of {_KINDS[TestKind(test.kind)]}. "
            "Import it into another test."
        )
    if found.is_simulated and not test.is_simulated:
        raise Refused(
            f"{file} holds answers of simulated raters, and the raters of the test {test.slug} are people. "
            "Import it into a test of its own, with --create."
        )
    asked = {question.name: question for question in test.questions.order_by("pk")}
    for question in found.questions.values():
        _refuse_other_question(test, question, asked.get(question.name), file)


def _refuse_other_question(test: ListeningTest, question: ImportedQuestion, asked: Question | None, file: str) -> None:
    if asked is None:
        raise Refused(
            f"{file} answers the question {question.name}, which the test {test.slug} does not ask. Add it to the test "
            f"with the scale {_scale(question)}, or import into another test."
        )
    if _scale(asked) != _scale(question):
        raise Refused(
            f"{file} answers the question {question.name} on the scale {_scale(question)}, and the test {test.slug} "
            f"asks it on the scale {_scale(asked)}. Import it into another test."
        )


def _scale(question: ImportedQuestion | Question) -> str:
    ends = (question.scale_min, question.scale_max, question.scale_step)
    low, high, step = (repr(float(end)).removesuffix(".0") for end in ends)
    return f"from {low} to {high}, " + (f"in steps of {step}" if question.scale_step else "continuous")


@transaction.atomic
def _store(test: ListeningTest, found: ImportedAnswers, sounds: FoundSounds, file: str) -> _Stored:
    """Writes everything, looking again, under the test's lock, at what may have changed since the first look."""
    test = _locked_test(test, found)
    _refuse_other(test, found, file)
    answers = _without_withdrawn(test, found)
    clips = clips_store(test=test, clips=found.clips, found=sounds)
    captions = captions_store(keys={(pair.caption, pair.language) for pair in found.pairs.values()})
    pairs, problems = pairs_store(test=test, pairs=found.pairs, clips=clips.ids, captions=captions)
    if len(pairs) < len(found.pairs):
        raise RatingsRefused(problems, file=file)
    trials, more = trials_store(test=test, found=found, pairs=pairs)
    places = Places(
        test=test,
        questions={question.name: question for question in test.questions.all()},
        raters=raters_store(test=test, raters={answer.rater for answer in answers}),
        pairs=pairs,
        trials=trials,
        problems=problems + more,
    )
    stored = answers_store(answers=answers, places=places, now=timezone.now())
    if places.problems:
        raise RatingsRefused(places.problems, file=file)
    if stored.new and test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and takes no more answers. Import into another test.")
    return _Stored(test, clips, stored, len(found.answers) - len(answers))


def _locked_test(test: ListeningTest, found: ImportedAnswers) -> ListeningTest:
    if test.pk is None:
        told = {"title": test.title, "kind": found.kind, "is_simulated": found.is_simulated}
        test, is_new = ListeningTest.objects.get_or_create(slug=test.slug, defaults=told)
        if is_new:
            for question in found.questions.values():
                _ask(test, question)
    return ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _ask(test: ListeningTest, question: ImportedQuestion) -> None:
    asked = Question.objects.create(
        test=test,
        name=question.name,
        prompt=question.prompt,
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        scale_step=question.scale_step,
        min_label=question.min_label,
        max_label=question.max_label,
    )
    labels = [ScaleLabel(question=asked, value=value, text=text) for value, text in question.labels]
    ScaleLabel.objects.bulk_create(labels)


def _without_withdrawn(test: ListeningTest, found: ImportedAnswers) -> list[ImportedAnswer]:
    """Who withdrew from this test, or from the one that the file comes from, is not brought back by an old file."""
    withdrawn = set(
        Rater.objects.filter(
            withdrawals__in=Withdrawal.objects.filter(test__slug__in=[test.slug, *found.tests])
        ).values_list("uuid", flat=True)
    )
    if not withdrawn:
        return found.answers
    return [answer for answer in found.answers if rater_uuid(test=test, rater=answer.rater) not in withdrawn]


def _summary(found: ImportedAnswers, stored: _Stored, file: str) -> ImportSummary:
    new = stored.answers.new
    return ImportSummary(
        test=stored.test,
        file=file,
        new=len(new),
        known=stored.answers.known,
        left_out=stored.left_out,
        exclusions=stored.answers.exclusions,
        raters=len({row.rater_id for row in new}),
        pairs=len(found.pairs),
        clips=len(found.clips),
        mute_clips=stored.clips.mute,
        sounded_clips=stored.clips.sounded,
    )
