"""Manifests: a CSV file of pairs and the sound files it names, taken into a test whole or not at all.

First every row and every file is checked, and what raters will hear is rendered into a temporary folder. Only where
nothing is wrong are files stored, and last all rows are written in one transaction. A crash leaves at most files that
no row names.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from listening_tests.choices import TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Caption, Clip, ListeningTest, Pair, Question
from listening_tests.services.batches import BATCH, batches
from listening_tests.services.captions import captions_store
from listening_tests.services.clips import clip_files_store, content_digest, content_read, files_kept
from listening_tests.services.manifest_rows import (
    ManifestRefused,
    ManifestRow,
    NamedFile,
    RowProblem,
    manifest_rows_read,
)
from listening_tests.services.manifest_sounds import CheckedFiles, Progress, files_check
from listening_tests.services.new_tests import test_named
from listening_tests.services.planner import planner_inform
from listening_tests.services.questions import question_from, questions_create
from listening_tests.services.trials import anchors_complete, trials_make
from listening_tests.standard_questions import (
    USUAL_INSTRUCTIONS,
    USUAL_QUESTION,
    StandardQuestion,
    standard_question,
)

_TRIAL_NOUNS: dict[str, str] = {TestKind.COMPARISON: "comparison", TestKind.SIDE_BY_SIDE: "trial"}

# Within a test a pair is known by the sha256 of its sound, its caption and the caption's language.
PairKey = tuple[str, str, str]


@dataclass(frozen=True)
class ImportSummary:
    """What an import stored, or, on a dry run, would store. `clips` and `captions` are those of the manifest.

    `trials` are those that it made; a dry run makes none.
    """

    test: ListeningTest
    pairs: int
    clips: int
    clips_reused: int
    captions: int
    trials: int
    dry_run: bool

    def __str__(self) -> str:
        counts = f"{_counted(self.pairs, 'pair')} ({_counted(self.clips, 'clip')}, "
        counts += f"{self.clips_reused:,} of them stored before; {_counted(self.captions, 'caption')})"
        if self.dry_run:
            return f"Nothing is wrong: {counts} would come into the test {self.test.slug}. Nothing was stored."
        return f"Imported {counts} into the test {self.test.slug}.{self._told_of_trials()}"

    def _told_of_trials(self) -> str:
        """Nothing where pairs are given out one by one."""
        noun = _TRIAL_NOUNS.get(self.test.kind)
        if noun is None:
            return ""
        were = "were" if self.trials > 1 else "was"
        return f" {_counted(self.trials, noun) if self.trials else f'No {noun}'} {were} made of them."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True)
class CheckedManifest:
    """What is known of a manifest before anything is stored. `test` is not saved where it is to be made."""

    name: str
    test: ListeningTest
    standards: Sequence[StandardQuestion]
    rows: list[ManifestRow]
    files: CheckedFiles
    problems: list[RowProblem]


def manifest_import(
    *,
    manifest: Path,
    slug: str,
    create: bool = False,
    kind: str | None = None,
    questions: Sequence[str] = (),
    dry_run: bool = False,
    allow_silent: bool = False,
    on_progress: Progress | None = None,
) -> ImportSummary:
    """Takes the pairs of a manifest, whose files lie in its own folder, into the test `slug`.

    `create` makes the test where there is none, as a draft of this kind (by default single ratings) that asks these
    ready-made questions (by default the usual one); a test that is there must be of the kind, and ask them. Raises
    ManifestRefused with every row that cannot be used, or Refused where it is not a matter of rows; then nothing has
    changed.
    """
    with tempfile.TemporaryDirectory(prefix="earmark-import-") as directory:
        staged = Path(directory)
        checked = manifest_check(
            manifest=manifest,
            slug=slug,
            staged=staged,
            create=create,
            kind=kind,
            questions=questions,
            allow_silent=allow_silent,
            on_progress=on_progress,
        )
        if checked.problems:
            raise ManifestRefused(checked.problems, manifest=manifest.name)
        if dry_run:
            return manifest_summary(checked=checked, test=checked.test, trials=0, dry_run=True)
        manifest_files_store(checked=checked, staged=staged, on_progress=on_progress)
        return manifest_rows_store(checked=checked, staged=staged)


def manifest_check(
    *,
    manifest: Path,
    slug: str,
    staged: Path,
    folder: Path | None = None,
    create: bool = False,
    kind: str | None = None,
    questions: Sequence[str] = (),
    allow_silent: bool = False,
    on_progress: Progress | None = None,
    files: CheckedFiles | None = None,
    name: str = "",
) -> CheckedManifest:
    """Looks at every row and every sound, and changes nothing but `staged`, where renditions of new sounds are put.

    What an earlier look has put there is used again. `files` is filled on the way, so that who is told of the progress
    can see how it stands. Raises Refused where it is not a matter of rows.
    """
    standards = [standard_question(name) for name in dict.fromkeys(questions)] or [USUAL_QUESTION]
    test = _test_to_import_into(slug, create=create, kind=kind, questions=questions)
    first = question_from(test=test, standard=standards[0]) if test.pk is None else _first_question(test)
    found = manifest_rows_read(
        manifest=manifest,
        folder=folder or manifest.parent,
        question=first,
        has_scale=test.kind != TestKind.COMPARISON,
        name=name,
    )
    files = files_check(
        named=found.files,
        staged=staged,
        allow_silent=allow_silent,
        on_progress=on_progress or _say_nothing,
        files=files or CheckedFiles(),
    )
    problems = found.problems + _problems_of_files(found.files, files)
    problems += _repeated_pairs(found.rows, files) + _pairs_in_test(found.rows, files, test)
    return CheckedManifest(name or manifest.name, test, standards, found.rows, files, problems)


def manifest_files_store(*, checked: CheckedManifest, staged: Path, on_progress: Progress | None = None) -> None:
    """Puts the files of new sounds where their rows will say. Raises Refused where one was changed meanwhile."""
    _store_files(checked.files, staged, on_progress or _say_nothing)


def manifest_rows_store(*, checked: CheckedManifest, staged: Path) -> ImportSummary:
    """Writes all rows of a manifest whose files are stored, in one transaction."""
    test, trials = _store_rows(checked, staged)
    planner_inform(n_new=len(checked.rows))
    return manifest_summary(checked=checked, test=test, trials=trials)


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Where nobody wants to know how far it is."""


def _first_question(test: ListeningTest) -> Question | None:
    return test.questions.order_by("pk").first()


def _test_to_import_into(slug: str, *, create: bool, kind: str | None, questions: Sequence[str]) -> ListeningTest:
    """The test, not yet saved where it is to be made."""
    test = ListeningTest.objects.filter(slug=slug).first()
    if test is None and not create:
        raise Refused(f"There is no test {slug}. Check its name, or make it as a draft with --create.")
    if test is None:
        test = test_named(slug=slug)
        test.kind = kind or TestKind.RATING
        test.instructions = USUAL_INSTRUCTIONS[test.kind]
        return test
    _refuse_closed(test)
    _refuse_another_kind(test, kind)
    _refuse_other_questions(test, questions)
    return test


def _refuse_another_kind(test: ListeningTest, kind: str | None) -> None:
    if kind not in (None, test.kind):
        raise Refused(
            f"The test {test.slug} is of the kind {test.kind}, and an import does not make it {kind}. "
            "Import into another test, or leave out --kind."
        )


def _refuse_other_questions(test: ListeningTest, questions: Sequence[str]) -> None:
    """A repeated command names the questions that are there."""
    asked = list(test.questions.order_by("pk").values_list("name", flat=True))
    new = [name for name in questions if name not in asked]
    if new:
        raise Refused(
            f"The test {test.slug} asks {', '.join(asked) or 'nothing'}, and an import does not make it ask "
            f"{', '.join(new)}. Add questions on its page, or leave out --question."
        )


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and takes no more pairs. Import into another test.")


def _problems_of_files(named: list[NamedFile], files: CheckedFiles) -> list[RowProblem]:
    return [
        RowProblem(file.line, f"{file.name}{files.refusals[file.path]}", "file")
        for file in named
        if file.path in files.refusals
    ]


def _keyed(rows: list[ManifestRow], files: CheckedFiles) -> Iterable[tuple[PairKey, ManifestRow]]:
    """The rows whose sound is good, with what their pair is known by."""
    for row in rows:
        if row.path in files.digests:
            yield (files.digests[row.path], Caption.digest(row.caption), row.language), row


def _repeated_pairs(rows: list[ManifestRow], files: CheckedFiles) -> list[RowProblem]:
    first: dict[PairKey, ManifestRow] = {}
    problems = []
    for (sha256, _, language), row in _keyed(rows, files):
        # Spaces at its ends are kept with a caption, but make no other one of it.
        earlier = first.setdefault((sha256, Caption.digest(row.caption.strip()), language), row)
        if earlier is not row:
            alike = "" if earlier.file == row.file else f" {earlier.file} holds the same sound."
            problems.append(
                RowProblem(
                    row.line,
                    f"Line {earlier.line} has this sound with this caption already.{alike} Remove one.",
                    "file, caption",
                )
            )
    return problems


def _pairs_in_test(rows: list[ManifestRow], files: CheckedFiles, test: ListeningTest) -> list[RowProblem]:
    if test.pk is None:
        return []
    columns = ("clip__sha256", "caption__text_sha256", "caption__language")
    there = set(test.pairs.values_list(*columns))
    reason = f"The test {test.slug} has this sound with this caption already. Remove the row."
    return [RowProblem(row.line, reason, "file, caption") for key, row in _keyed(rows, files) if key in there]


def _store_files(files: CheckedFiles, staged: Path, on_progress: Progress) -> None:
    for done, clip in enumerate(files.new_clips.values()):
        on_progress("Storing sounds", done, len(files.new_clips))
        _store_file(clip, files, staged)
    on_progress("Storing sounds", len(files.new_clips), len(files.new_clips))


def _store_file(clip: Clip, files: CheckedFiles, staged: Path) -> None:
    digest = str(clip.sha256)
    original = content_read(path=files.sources[digest], name=clip.name)
    if content_digest(original) != digest:
        raise Refused(f"{clip.name} was changed while it was imported. Nothing was imported; start again.")
    clip_files_store(clip=clip, original=original, rendition=(staged / digest).read_bytes())


@transaction.atomic
def _store_rows(checked: CheckedManifest, staged: Path) -> tuple[ListeningTest, int]:
    """Writes all rows, looking again, under the test's lock, at what may have changed since the first look.

    Returns the test, and how many trials were made.
    """
    rows, files = checked.rows, checked.files
    test = _locked_test(checked.test, checked.standards)
    _refuse_closed(test)
    problems = _pairs_in_test(rows, files, test)
    if problems:
        raise ManifestRefused(problems, manifest=checked.name)
    with files_kept(clips=files.new_clips.values()) as missing:
        # Somebody cleared away after an import that was given up, and the sounds are the same.
        for clip in missing:
            _store_file(clip, files, staged)
    clips = _clips_by_digest(files)
    captions = captions_store(keys={(row.caption, row.language) for row in rows})
    Pair.objects.bulk_create(
        (
            Pair(
                test=test,
                clip_id=clips[files.digests[row.path]],
                caption_id=captions[row.caption, row.language],
                role=row.role,
                system=row.system,
                source_id=row.source_id,
                expected_min=row.expected_min,
                expected_max=row.expected_max,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )
    trials = trials_make(test=test)
    if test.status != TestStatus.DRAFT:
        # Where it is a draft, opening does it: more captions may come, and with them more to choose from.
        anchors_complete(test=test)
    return test, trials


def _locked_test(test: ListeningTest, standards: Sequence[StandardQuestion]) -> ListeningTest:
    wanted = test.kind
    if test.pk is None:
        values = {"title": test.title, "kind": test.kind, "instructions": test.instructions}
        made, is_new = ListeningTest.objects.get_or_create(slug=test.slug, defaults=values)
        if is_new:
            questions_create(test=made, standards=standards)
        test = made
    test = ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
    # Made or changed by somebody else since the first look.
    _refuse_another_kind(test, wanted)
    return test


def _clips_by_digest(files: CheckedFiles) -> dict[str, int]:
    # In one order everywhere, so that two imports at once cannot wait for each other; who comes second finds the rows.
    clips = [files.new_clips[digest] for digest in sorted(files.new_clips)]
    Clip.objects.bulk_create(clips, batch_size=BATCH, ignore_conflicts=True)
    digests = sorted(set(files.digests.values()))
    ids: dict[str, int] = {}
    for batch in batches(digests):
        ids |= {str(clip.sha256): clip.pk for clip in Clip.objects.filter(sha256__in=batch).only("sha256")}
    return ids


def manifest_summary(
    *, checked: CheckedManifest, test: ListeningTest, trials: int, dry_run: bool = False
) -> ImportSummary:
    return ImportSummary(
        test=test,
        pairs=len(checked.rows),
        clips=len(set(checked.files.digests.values())),
        clips_reused=len(checked.files.reused),
        captions=len({(row.caption, row.language) for row in checked.rows}),
        trials=trials,
        dry_run=dry_run,
    )
