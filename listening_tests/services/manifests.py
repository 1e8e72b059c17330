"""Manifests: a CSV file of pairs and the sound files it names, taken into a test whole or not at all.

First every row and every file is checked, and what raters will hear is rendered into a temporary folder. Only where
nothing is wrong are files stored, and last all rows are written in one transaction. A crash leaves at most files that
no row names.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from listening_tests.audio import AudioRefused
from listening_tests.choices import TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Caption, Clip, ListeningTest, Pair, Question
from listening_tests.services.clips import (
    clip_files_store,
    clip_prepare,
    content_digest,
    content_read,
    refuse_silent,
)
from listening_tests.services.manifest_rows import (
    ManifestRefused,
    ManifestRow,
    NamedFile,
    RowProblem,
    manifest_rows_read,
)

LONGEST_SLUG = 80
_BATCH = 1_000

# Told what is being done, how many files are done, and how many there are.
Progress = Callable[[str, int, int], None]
# Within a test a pair is known by the sha256 of its sound, its caption and the caption's language.
PairKey = tuple[str, str, str]


@dataclass(frozen=True)
class ImportSummary:
    """What an import stored, or, on a dry run, would store. `clips` and `captions` are those of the manifest."""

    test: ListeningTest
    pairs: int
    clips: int
    clips_reused: int
    captions: int
    dry_run: bool

    def __str__(self) -> str:
        counts = f"{_counted(self.pairs, 'pair')} ({_counted(self.clips, 'clip')}, "
        counts += f"{self.clips_reused:,} of them stored before; {_counted(self.captions, 'caption')})"
        if self.dry_run:
            return f"Nothing is wrong: {counts} would come into the test {self.test.slug}. Nothing was stored."
        return f"Imported {counts} into the test {self.test.slug}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass
class _CheckedFiles:
    """What is known of each path: its sha256, or why it is refused; and of each new content its clip.

    A refusal is kept without the name that it begins with, for rows may name one file in several ways.
    """

    digests: dict[Path, str]
    refusals: dict[Path, str]
    new_clips: dict[str, Clip]
    sources: dict[str, Path]
    reused: set[str]


def manifest_import(
    *,
    manifest: Path,
    slug: str,
    folder: Path | None = None,
    create: bool = False,
    dry_run: bool = False,
    allow_silent: bool = False,
    on_progress: Progress | None = None,
) -> ImportSummary:
    """Takes the pairs of a manifest, whose files lie in `folder` (by default its own), into the test `slug`.

    `create` makes the test, as a draft with the default question, where there is none. Raises ManifestRefused with
    every row that cannot be used, or Refused where it is not a matter of rows; then nothing has changed.
    """
    test = _test_to_import_into(slug, create=create)
    question = Question(test=test) if test.pk is None else test.questions.order_by("pk").first()
    found = manifest_rows_read(manifest=manifest, folder=folder or manifest.parent, question=question)
    with tempfile.TemporaryDirectory(prefix="earmark-import-") as staged:
        files = _check_files(found.files, Path(staged), allow_silent, on_progress or _say_nothing)
        problems = found.problems + _problems_of_files(found.files, files)
        problems += _repeated_pairs(found.rows, files) + _pairs_in_test(found.rows, files, test)
        if problems:
            raise ManifestRefused(problems, manifest=manifest.name)
        if not dry_run:
            _store_files(files, Path(staged), on_progress or _say_nothing)
            test = _store_rows(found.rows, files, test, manifest.name)
    return _summary(found.rows, files, test, dry_run=dry_run)


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Where nobody wants to know how far it is."""


def _test_to_import_into(slug: str, *, create: bool) -> ListeningTest:
    """The test, not yet saved where it is to be made."""
    test = ListeningTest.objects.filter(slug=slug).first()
    if test is None and not create:
        raise Refused(f"There is no test {slug}. Check its name, or make it as a draft with --create.")
    if test is None:
        _refuse_bad_slug(slug)
        return ListeningTest(slug=slug, title=slug.replace("-", " ").replace("_", " ").strip().capitalize() or slug)
    _refuse_closed(test)
    return test


def _refuse_bad_slug(slug: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        slug_is_good = False
    else:
        slug_is_good = len(slug) <= LONGEST_SLUG
    if not slug_is_good:
        raise Refused(
            f"{slug!r} cannot be the address of a test. Use up to {LONGEST_SLUG} letters a to z, digits, - and _."
        )


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and takes no more pairs. Import into another test.")


def _check_files(named: list[NamedFile], staged: Path, allow_silent: bool, on_progress: Progress) -> _CheckedFiles:
    """Reads each file once or, where its content is new, decodes and renders it into `staged`."""
    names: dict[Path, str] = {}
    for file in named:
        names.setdefault(file.path, file.name)
    files = _CheckedFiles({}, {}, {}, {}, set())
    for done, (path, name) in enumerate(names.items()):
        on_progress("Checking sounds", done, len(names))
        try:
            _check_file(path, name, files, staged, allow_silent)
        except AudioRefused as refusal:
            files.refusals[path] = str(refusal).removeprefix(name)
    on_progress("Checking sounds", len(names), len(names))
    return files


def _check_file(path: Path, name: str, files: _CheckedFiles, staged: Path, allow_silent: bool) -> None:
    content = content_read(path=path, name=name)
    digest = content_digest(content)
    clip = files.new_clips.get(digest) or Clip.objects.filter(sha256=digest).first()
    if clip is None:
        prepared = clip_prepare(content=content, name=name)
        clip = prepared.clip
        (staged / digest).write_bytes(prepared.rendition)
    refuse_silent(clip=clip, name=name, allow_silent=allow_silent)
    files.digests[path] = digest
    if clip.pk is None:
        files.new_clips[digest] = clip
        files.sources[digest] = path
    else:
        files.reused.add(digest)


def _problems_of_files(named: list[NamedFile], files: _CheckedFiles) -> list[RowProblem]:
    return [
        RowProblem(file.line, f"{file.name}{files.refusals[file.path]}")
        for file in named
        if file.path in files.refusals
    ]


def _keyed(rows: list[ManifestRow], files: _CheckedFiles) -> Iterable[tuple[PairKey, ManifestRow]]:
    """The rows whose sound is good, with what their pair is known by."""
    for row in rows:
        if row.path in files.digests:
            yield (files.digests[row.path], Caption.digest(row.caption), row.language), row


def _repeated_pairs(rows: list[ManifestRow], files: _CheckedFiles) -> list[RowProblem]:
    first: dict[PairKey, ManifestRow] = {}
    problems = []
    for (sha256, _, language), row in _keyed(rows, files):
        # Spaces at its ends are kept with a caption, but make no other one of it.
        earlier = first.setdefault((sha256, Caption.digest(row.caption.strip()), language), row)
        if earlier is not row:
            alike = "" if earlier.file == row.file else f" {earlier.file} holds the same sound."
            problems.append(
                RowProblem(
                    row.line, f"Line {earlier.line} has this sound with this caption already.{alike} Remove one."
                )
            )
    return problems


def _pairs_in_test(rows: list[ManifestRow], files: _CheckedFiles, test: ListeningTest) -> list[RowProblem]:
    if test.pk is None:
        return []
    columns = ("clip__sha256", "caption__text_sha256", "caption__language")
    there = set(test.pairs.values_list(*columns))
    reason = f"The test {test.slug} has this sound with this caption already. Remove the row."
    return [RowProblem(row.line, reason) for key, row in _keyed(rows, files) if key in there]


def _store_files(files: _CheckedFiles, staged: Path, on_progress: Progress) -> None:
    for done, (digest, clip) in enumerate(files.new_clips.items()):
        on_progress("Storing sounds", done, len(files.new_clips))
        original = content_read(path=files.sources[digest], name=clip.name)
        if content_digest(original) != digest:
            raise Refused(f"{clip.name} was changed while it was imported. Nothing was imported; start again.")
        clip_files_store(clip=clip, original=original, rendition=(staged / digest).read_bytes())
    on_progress("Storing sounds", len(files.new_clips), len(files.new_clips))


@transaction.atomic
def _store_rows(
    rows: list[ManifestRow], files: _CheckedFiles, test: ListeningTest, manifest_name: str
) -> ListeningTest:
    """Writes all rows, looking again, under the test's lock, at what may have changed since the first look."""
    test = _locked_test(test)
    _refuse_closed(test)
    problems = _pairs_in_test(rows, files, test)
    if problems:
        raise ManifestRefused(problems, manifest=manifest_name)
    clips = _clips_by_digest(files)
    captions = _captions_by_key({(row.caption, row.language) for row in rows})
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
        batch_size=_BATCH,
    )
    return test


def _locked_test(test: ListeningTest) -> ListeningTest:
    if test.pk is None:
        made, is_new = ListeningTest.objects.get_or_create(slug=test.slug, defaults={"title": test.title})
        if is_new:
            Question.objects.create(test=made)
        test = made
    return ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _clips_by_digest(files: _CheckedFiles) -> dict[str, int]:
    # In one order everywhere, so that two imports at once cannot wait for each other; who comes second finds the rows.
    clips = [files.new_clips[digest] for digest in sorted(files.new_clips)]
    Clip.objects.bulk_create(clips, batch_size=_BATCH, ignore_conflicts=True)
    digests = sorted(set(files.digests.values()))
    ids: dict[str, int] = {}
    for batch in _batches(digests):
        ids |= {str(clip.sha256): clip.pk for clip in Clip.objects.filter(sha256__in=batch).only("sha256")}
    return ids


def _captions_by_key(keys: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of captions by (text, language), those made that were not there."""
    captions = [Caption(text=text, language=language, text_sha256=Caption.digest(text)) for text, language in keys]
    captions.sort(key=lambda caption: (caption.text_sha256, caption.language))
    Caption.objects.bulk_create(captions, batch_size=_BATCH, ignore_conflicts=True)
    ids: dict[tuple[str, str], int] = {}
    for batch in _batches([caption.text_sha256 for caption in captions]):
        found = Caption.objects.filter(text_sha256__in=batch).values_list("pk", "text", "language")
        ids |= {(text, language): pk for pk, text, language in found}
    return ids


def _batches(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), _BATCH):
        yield digests[start : start + _BATCH]


def _summary(rows: list[ManifestRow], files: _CheckedFiles, test: ListeningTest, *, dry_run: bool) -> ImportSummary:
    return ImportSummary(
        test=test,
        pairs=len(rows),
        clips=len(set(files.digests.values())),
        clips_reused=len(files.reused),
        captions=len({(row.caption, row.language) for row in rows}),
        dry_run=dry_run,
    )
