"""Ratings from elsewhere: our own exports come back to the same rows, others' data sets come in, mistakes do not."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Model

from listening_tests.answer_files.columns import NAMES
from listening_tests.choices import PairRole, Source, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import (
    Assignment,
    Caption,
    Clip,
    Comparison,
    Exclusion,
    ListeningTest,
    Pair,
    Presentation,
    Question,
    Rater,
    Rating,
    ScaleLabel,
    Session,
    Trial,
    TrialPair,
)
from listening_tests.services.clips import content_digest
from listening_tests.services.exports import FORMATS, answer_rows, answers_export
from listening_tests.services.rating_imports import ImportSummary, ratings_import
from listening_tests.services.withdrawals import rater_withdraw
from listening_tests.wanted_answers import answers_wanted
from tests.collection.answered import HOSTILE, make_answered
from tests.collection.relate import relate_is
from tests.collection.shell import run_command
from tests.collection.sounds import write_sound
from tests.factories import make_test

pytestmark = pytest.mark.django_db

KINDS = ("rating", "comparison", "side_by_side")
OF_THE_SITTING = (
    *("source", "session_uuid", "session_status", "left_right", "check_attempts", "consent_version", "device"),
    *("surroundings", "assignment_uuid", "position", "propensity", "leased_at"),
)
UUIDS = ("answer_uuid", "client_uuid", "trial_uuid", "pair_uuid", "other_pair_uuid")
TABLES: tuple[type[Model], ...] = (
    *(ListeningTest, Question, ScaleLabel, Caption, Clip, Pair, Trial, TrialPair),
    *(Rater, Rating, Comparison, Exclusion),
)


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in TABLES}


def exported(test: ListeningTest, file_format: str, folder: Path) -> Path:
    path = folder / f"{test.slug}.{file_format}"
    answers_export(test=test, file_format=file_format, path=path)
    return path


def taken_in(path: Path, slug: str, **fields: Any) -> ImportSummary:
    return ratings_import(**{"path": path, "layout": "earmark", "slug": slug, "create": True} | fields)


def told(test: ListeningTest | str, *without: str) -> list[dict[str, Any]]:
    """Every answer of a test in every column but these."""
    test = ListeningTest.objects.get(slug=test) if isinstance(test, str) else test
    rows = [dict(zip(NAMES, row, strict=True)) for row in answer_rows(answers=answers_wanted(test=test))]
    return [{name: value for name, value in row.items() if name not in without} for row in rows]


def refusal(act: Callable[[], object]) -> str:
    """The sentence with which it is refused; nothing has changed."""
    before = counts()
    with pytest.raises(Refused) as refused:
        act()
    assert counts() == before
    return str(refused.value)


def write(folder: Path, *lines: str, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def changed(path: Path, **cells: object) -> Path:
    """A copy of a JSONL file whose first row says something else."""
    lines = path.read_text(encoding="utf-8").split("\n")
    copy = path.with_name("changed.jsonl")
    copy.write_text("\n".join([json.dumps(json.loads(lines[0]) | cells), *lines[1:]]), encoding="utf-8")
    return copy


def empty(test: ListeningTest) -> None:
    """Takes away a test with all that hangs on it, and nothing else."""
    for model in (Rating, Comparison):
        model.objects.filter(test=test).delete()
    Presentation.objects.filter(assignment__session__test=test).delete()
    Assignment.objects.filter(session__test=test).delete()
    TrialPair.objects.filter(trial__test=test).delete()
    Trial.objects.filter(test=test).delete()
    Pair.objects.filter(test=test).delete()
    Session.objects.filter(test=test).delete()
    test.delete()


def test_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = exported(make_answered(TestKind.RATING), "csv", tmp_path)
    words = ("import_ratings", str(path), "--layout", "earmark", "--test", "second", "--create")

    first = run_command(monkeypatch, capsys, *words)
    before = counts()
    again = run_command(monkeypatch, capsys, *words)

    assert first[:2] == (
        0,
        "Imported 18 answers into the test second (2 raters, 3 pairs, 3 clips).\n3 exclusions came with them.\n",
    )
    assert again[:2] == (0, f"Nothing is new: the test second has the 18 answers of {path.name} already.\n")
    assert counts() == before
    test = ListeningTest.objects.get(slug="second")
    assert (test.title, test.status, test.kind) == ("Second", TestStatus.DRAFT, TestKind.RATING)
    assert list(test.questions.get(name="quality").labels.values_list("value", "text")) == [
        (3, 'fair, "+1"'),
        (4, "良い"),
    ]
    assert set(test.ratings.values_list("source", "assignment")) == {(Source.IMPORTED, None)}
    assert set(test.pairs.values_list("load", flat=True)) == {2}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_into_another_test_the_same_rows_but_for_uuids(kind: str, file_format: str, tmp_path: Path) -> None:
    test = make_answered(kind)
    path = exported(test, file_format, tmp_path)

    taken_in(path, "second")

    without = ("test", *OF_THE_SITTING, *UUIDS)
    assert told("second", *without) == told(test, *without)
    assert len(told("second")) > 0
    assert {str(row["answer_uuid"]) for row in told("second")}.isdisjoint(str(row["answer_uuid"]) for row in told(test))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_where_the_first_is_gone_the_very_same_rows(kind: str, file_format: str, tmp_path: Path) -> None:
    test = make_answered(kind)
    slug, before = test.slug, told(test, *OF_THE_SITTING)
    loads = sorted(test.pairs.values_list("uuid", "load")) + sorted(test.trials.values_list("uuid", "load"))
    path = exported(test, file_format, tmp_path)
    empty(test)

    taken_in(path, slug)

    again = ListeningTest.objects.get(slug=slug)
    assert told(again, *OF_THE_SITTING) == before
    assert sorted(again.pairs.values_list("uuid", "load")) + sorted(again.trials.values_list("uuid", "load")) == loads


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_sounds_a_second_export_says_the_same(kind: str, tmp_path: Path) -> None:
    test = make_answered(kind)
    slug, before = test.slug, told(test, *OF_THE_SITTING)
    path = exported(test, "parquet", tmp_path)
    empty(test)
    Clip.objects.all().delete()

    summary = taken_in(path, slug)

    assert (summary.clips, summary.mute_clips) == (len(Clip.objects.all()), len(Clip.objects.filter(sha256=None)))
    assert "came without sound" in str(summary)
    assert told(slug, *OF_THE_SITTING) == before
    assert not taken_in(path, slug).new
    assert taken_in(exported(ListeningTest.objects.get(slug=slug), "csv", tmp_path), "third").new == len(before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_into_the_test_that_it_came_from_nothing_is_new(kind: str, file_format: str, tmp_path: Path) -> None:
    test = make_answered(kind)
    before, rows = counts(), told(test)

    summary = taken_in(exported(test, file_format, tmp_path), test.slug)

    assert (summary.new, summary.known) == (0, len(rows))
    assert counts() == before
    assert told(test) == rows


def test_what_is_new_comes_in_beside_what_is_there(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING)
    path = exported(test, "jsonl", tmp_path)
    part = tmp_path / "part.jsonl"
    part.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:5]), encoding="utf-8")
    taken_in(part, "second")

    summary = taken_in(path, "second")

    assert (summary.new, summary.known) == (13, 5)
    assert str(summary).startswith(
        "Imported 13 answers into the test second (2 raters, 3 pairs, 3 clips). 5 were there"
    )
    assert len(told("second")) == 18


def test_an_exclusion_that_was_undone_stays_undone(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING)
    path = exported(test, "csv", tmp_path)
    Exclusion.objects.filter(rating__test=test).delete()

    taken_in(path, test.slug)

    assert not Exclusion.objects.exists()


def test_who_withdrew_is_not_brought_back(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING)
    path = exported(test, "csv", tmp_path)
    session = Session.objects.filter(test=test).earliest("pk")
    rater_withdraw(session=session)
    assert Rating.objects.count() == 9

    assert str(taken_in(path, test.slug)).endswith("9 answers of raters who have withdrawn were left out.")
    assert str(taken_in(path, "second")).endswith("9 answers of raters who have withdrawn were left out.")

    assert not session.rater.ratings.exists()


def test_a_silent_row_gets_its_sound_when_it_comes(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    write_sound(sounds, "one/dog.wav", seed=1)
    write_sound(sounds, "cat.wav", seed=2)
    path = write(
        tmp_path,
        "wav_file_name,text,score,rater",
        "/one/dog.wav,a dog,7,ann",
        "cat.wav,a cat,3,ann",
        "x.wav,a cow,1,bo",
    )
    assert taken_in(path, "second", layout="xacle").mute_clips == 3

    summary = taken_in(path, "second", layout="xacle", audio=sounds)

    assert (summary.new, summary.mute_clips, summary.sounded_clips) == (0, 1, 2)
    assert str(summary).endswith("2 clips that had no sound got it.")
    dog = Pair.objects.get(caption__text="a dog").clip
    assert dog.sha256 and dog.rendition.size > 0 and dog.duration_s == pytest.approx(0.3)
    assert taken_in(path, "second", layout="xacle").new == 0
    assert taken_in(path, "third", layout="xacle", audio=sounds).mute_clips == 1
    assert (Pair.objects.count(), Clip.objects.count(), Clip.objects.filter(sha256=None).count()) == (6, 4, 2)


def test_a_sound_is_found_by_its_content_under_another_name(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=1)
    sound = write_sound(tmp_path / "sounds", "renamed/a.wav")
    path = exported(test, "jsonl", tmp_path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    digest = content_digest(sound.read_bytes())
    path.write_text("\n".join(json.dumps(line | {"clip_sha256": digest}) for line in lines), encoding="utf-8")

    assert taken_in(path, "second", audio=tmp_path / "sounds").mute_clips == 0
    assert Pair.objects.get(test__slug="second").clip.sha256 == digest


@pytest.mark.parametrize("within", ["", "relate_audio/"])
def test_sounds_come_in_a_zip(tmp_path: Path, within: str) -> None:
    sound = write_sound(tmp_path, "dog.wav")
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        archive.write(sound, f"{within}one/dog.wav")
    path = write(tmp_path, "wav_file_name,text,score,rater", "/one/dog.wav,a dog,7,ann")

    assert taken_in(path, "second", layout="xacle", audio=tmp_path / "sounds.zip").mute_clips == 0
    assert Pair.objects.get().clip.sha256 == content_digest(sound.read_bytes())


def test_a_zip_that_may_not_be_unpacked_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "wav_file_name,text,score,rater", "a.wav,a dog,7,ann")
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        archive.writestr("../a.wav", b"")
    assert refusal(lambda: taken_in(path, "second", layout="xacle", audio=tmp_path / "sounds.zip")) == (
        f"{tmp_path / 'sounds.zip'}: The zip was not unpacked: '../a.wav' leaves the archive's folder. Pack it anew "
        "without. Or unpack it yourself and give its folder with --audio."
    )
    assert refusal(lambda: taken_in(path, "second", layout="xacle", audio=path)) == (
        f"{path} is neither a folder nor a zip. Give the folder or the zip that the sounds lie in."
    )


def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    write_sound(tmp_path, "secret.wav")
    (tmp_path / "sounds").mkdir()
    path = write(tmp_path, "wav_file_name,text,score,rater", "../secret.wav,a dog,7,ann")

    assert taken_in(path, "second", layout="xacle", audio=tmp_path / "sounds").mute_clips == 1


def test_raters_of_other_names_are_pseudonyms_of_the_test(tmp_path: Path) -> None:
    known = Rater.objects.create()
    path = write(
        tmp_path,
        "wav_file_name,text,score,rater",
        "a.wav,a,7,Ann Example",
        "b.wav,b,7,Ann Example",
        f"a.wav,a,1,{known.uuid}",
    )

    taken_in(path, "second", layout="xacle")
    taken_in(path, "third", layout="xacle")

    assert Rater.objects.count() == 3
    assert set(known.ratings.values_list("test__slug", flat=True)) == {"second", "third"}
    assert set(Rater.objects.exclude(pk=known.pk).values_list("source", flat=True)) == {Source.IMPORTED}


def test_relates_traps(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "wavname,text,score,listener_id,audio type,anchor label,in AudioCaps,in RELATE dataset",
        "/tango2/test/1.wav,=a dog,10,7,tango,False,test,test",
        "/audioldm2/test/1.wav,=a dog,9,7,audioldm,False,test,validation",
        "/audiocaps/test/2.wav,=a dog,0,7,natural,True,,train",
        "/tango2/test/1.wav,=a dog,2,8,tango,False,test,excluded",
    )

    taken_in(path, "rel", layout="relate")

    pairs = Pair.objects.order_by("pk").values_list("system", "role", "own_split", "load")
    assert list(pairs) == [
        ("tango2", PairRole.STUDY, "heldout", 2),
        ("audioldm2", PairRole.STUDY, "validation", 1),
        ("audiocaps", PairRole.ANCHOR, None, 1),
    ]
    exclusion = Exclusion.objects.get()
    assert (exclusion.rule, exclusion.version, exclusion.rating.score) == ("relate-published", 1, 2)
    assert exclusion.reason == "The authors of RELATE left this rating out of the data set that they published."
    question = Question.objects.get()
    assert (question.name, question.scale_min, question.scale_max, question.scale_step) == ("relevance", 0, 10, 1)


def test_many_answers_are_known_to_postgresql_at_once(tmp_path: Path) -> None:
    """It would plan for an empty table until it looked by itself, which is a minute later."""
    rows = [f"{number}.wav,a,7,{rater}" for number in range(250) for rater in ("ann", "ben", "cat", "dan")]

    taken_in(write(tmp_path, "wav_file_name,text,score,rater", *rows), "second", layout="xacle")

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Rating._meta.db_table])
        assert cursor.fetchone() == (1_000,)


def test_relates_inclusion(tmp_path: Path) -> None:
    path = relate_is()

    summary = taken_in(path, "relate-is", layout="relate")

    assert (summary.new, summary.raters, summary.pairs, summary.clips) == (28_833, 1_373, 6_833, 5_873)
    assert summary.mute_clips == 5_873
    test = ListeningTest.objects.get()
    assert test.questions.get().name == "inclusion"
    assert Rating.objects.filter(pair__role=PairRole.ANCHOR).count() == 4_119
    assert not Exclusion.objects.exists()
    assert sorted(set(Pair.objects.values_list("system", flat=True))) == [
        *("audiocaps", "audioldm", "audioldm2", "tango", "tango2"),
    ]
    before = counts()
    assert str(taken_in(path, "relate-is", layout="relate")) == (
        "Nothing is new: the test relate-is has the 28,833 answers of IS.csv already."
    )
    assert counts() == before


def test_one_bad_row_in_many_imports_nothing(tmp_path: Path) -> None:
    lines = relate_is().read_text(encoding="utf-8").splitlines()
    cells = lines[20_000].split(",")
    path = write(tmp_path, *lines[:20_000], lines[20_000].replace(f",{cells[-5]},", ",eleven,", 1), *lines[20_001:])

    assert refusal(lambda: taken_in(path, "relate-is", layout="relate")) == (
        "Nothing was imported, because ratings.csv holds 1 mistake. Mend what is named here.\n"
        "line 20001, score: 'eleven' is no number. Write one such as 7 or 7.5."
    )


@pytest.mark.parametrize(
    ("layout", "header", "told_columns"),
    [
        ("relate", "wavname,text,score,anchor label", "listener_id"),
        (
            "xacle",
            "wav_file_name,text,score",
            "rater, rater_id, listener, listener_id, worker, worker_id, annotator, annotator_id, evaluator, "
            "evaluator_id, participant, participant_id, subject or subject_id",
        ),
        ("earmark", "wav_file_name,text,score", "rater"),
    ],
)
def test_averages_are_no_ratings(layout: str, header: str, told_columns: str, tmp_path: Path) -> None:
    path = write(tmp_path, header, "a.wav,a dog,7.25,False")
    if layout == "earmark":
        path = write(tmp_path, "caption,score", "a dog,7.25")

    assert refusal(lambda: taken_in(path, "second", layout=layout)) == (
        f"ratings.csv has no column that says who rated ({told_columns}). Its scores are averages, and averaged labels "
        "are not ratings, so nothing was imported. To train on them, use python -m modeling, which takes averages as "
        "targets."
    )


def test_every_bad_row_is_told_with_its_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "wav_file_name,text,score,worker_id",
        "a.wav,a dog,7,ann",
        "a.wav,a dog,12,bo",
        "a.wav,a dog,3.5,cy",
        "a.wav,,NaN,cy",
        ",a cat,,di",
        "a.wav,a dog,7,ann",
        "a.wav,a dog",
        f"{'x' * 501},a cat,1,ed",
        "b.wav,a dog,1,",
    )

    assert refusal(lambda: taken_in(path, "second", layout="xacle")).split("\n") == [
        "Nothing was imported, because ratings.csv holds 10 mistakes. Mend what is named here.",
        "line 3, score: 12 is not on the scale from 0 to 10 in steps of 1.",
        "line 4, score: 3.5 is not on the scale from 0 to 10 in steps of 1.",
        "line 5, score: 'NaN' is no number. Write one such as 7 or 7.5.",
        "line 5, text: It is empty.",
        "line 6, wav_file_name: It is empty.",
        "line 6, score: It is empty.",
        "line 7, worker_id: A rating of this clip and caption by this rater is in line 2 already. Remove one.",
        "line 8, The row has 2 cells, but the header names 4 columns. "
        "Put quotation marks around a cell that holds a comma.",
        "line 9, wav_file_name: It has 501 characters; the limit is 500. Shorten it.",
        "line 10, worker_id: It is empty.",
    ]


def test_of_many_mistakes_the_rest_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "wav_file_name,text,score,rater", *(f"a.wav,a dog,99,{number}" for number in range(60)))

    lines = refusal(lambda: taken_in(path, "second", layout="xacle")).split("\n")

    assert lines[0] == "Nothing was imported, because ratings.csv holds 60 mistakes. Mend what is named here."
    assert (len(lines), lines[-1]) == (52, "And 10 more.")


BAD_CELLS: list[tuple[dict[str, object], str]] = [
    ({"answer_uuid": "no"}, "answer_uuid: 'no' is no uuid."),
    ({"score": 11}, "score: 11 is not on the scale from 0 to 10 in steps of 1."),
    ({"score": None}, "score: It is empty."),
    ({"caption": "half \ud800"}, "caption: It holds half a character (a lone surrogate). Remove it."),
    ({"caption": "nul \0"}, "caption: It holds a NUL character. Remove it."),
    ({"caption": 7}, "caption: 7 is no text."),
    (
        {"submitted_at": "2026-01-31"},
        "submitted_at: '2026-01-31' has no time zone. Write one such as 2026-01-31T12:00:00+00:00.",
    ),
    ({"submitted_at": "noon"}, "submitted_at: 'noon' is no time. Write one such as 2026-01-31T12:00:00+00:00."),
    ({"late": "maybe"}, "late: 'maybe' is neither true nor false."),
    ({"plays": -1}, "plays: -1 is no whole number from 0 to 2,147,483,647."),
    ({"plays": 1e300}, "plays: 1e+300 is no whole number from 0 to 2,147,483,647."),
    ({"heard_s": -1}, "heard_s: It is below 0."),
    ({"role": "spare"}, "role: 'spare' is unknown. Write one of: study, anchor, gold, practice, repeat."),
    ({"clip_sha256": "abc"}, "clip_sha256: 'abc' is no SHA-256, which has 64 digits and letters a to f."),
    ({"place": 1}, "place: Only clips side by side have one. Empty the cell."),
    ({"trial_uuid": str(UUID(int=1))}, "trial_uuid: A test of single ratings has no trials. Empty the cell."),
    ({"scale_min": 20}, "scale_min: The scale does not ascend from scale_min to scale_max in steps of 0 or more."),
    (
        {"exclusions": '[{"rule": "no slug", "version": 1, "reason": ""}]'},
        "exclusions: It is no list of {rule, version, reason}.",
    ),
    ({"exclusions": "[" * 100_000}, "exclusions: It is no list of {rule, version, reason}."),
    (
        {"exclusions": '[{"rule": "a", "version": 1, "reason": "\\u0000"}]'},
        "exclusions: It is no list of {rule, version, reason}.",
    ),
    ({"scale_labels": "[[1]]"}, "scale_labels: It is no list of [value, word]."),
    ({"answer_kind": "comparison"}, "answer_kind: It is comparison, but a test of this kind has a rating."),
]


@pytest.mark.parametrize(("cells", "sentence"), BAD_CELLS, ids=[sentence[:40] for _, sentence in BAD_CELLS])
def test_a_bad_cell_is_refused(cells: dict[str, object], sentence: str, tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=1)
    path = exported(test, "jsonl", tmp_path)
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0])
    path.write_text(json.dumps(first | cells), encoding="utf-8")

    lines = refusal(lambda: taken_in(path, "second")).split("\n")

    assert lines[0].startswith("Nothing was imported, because ")
    assert f"line 1, {sentence}" in lines


def test_rows_that_contradict_each_other(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=1)
    path = exported(test, "jsonl", tmp_path)
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0])
    other = {"answer_uuid": str(uuid4()), "question": first["question"]}
    rows = [
        first,
        first,
        first | other | {"answer_uuid": str(uuid4()), "system": "another"},
        first | other | {"answer_uuid": str(uuid4()), "prompt": "Why?"},
        first | other | {"answer_uuid": str(uuid4()), "caption": "a cat"},
        first | other | {"answer_uuid": str(uuid4()), "test_kind": "comparison"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    lines = refusal(lambda: taken_in(path, "second")).split("\n")

    for sentence in (
        "line 2, answer_uuid: This answer is in line 1 already. Remove one.",
        "line 3, system: The same clip and caption have 'one' in line 1, and 'another' here. Make them the same.",
        f"line 4, question: {first['question']} has another prompt, scale or label in line 1. Make them the same.",
        "line 5, pair_uuid: It has another clip or caption in a row above.",
        "line 6, test_kind: It is comparison, and rating above. A file holds answers of one kind of test.",
    ):
        assert sentence in lines


def test_an_answer_that_says_something_else_is_refused(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=1)
    path = exported(test, "jsonl", tmp_path)
    score = json.loads(path.read_text(encoding="utf-8").split("\n")[0])["score"]

    assert refusal(lambda: taken_in(changed(path, score=score + 1), test.slug)) == (
        "Nothing was imported, because changed.jsonl holds 1 mistake. Mend what is named here.\n"
        "line 1: The test has this answer already, and it says something else."
    )


def test_a_pair_that_is_something_else_in_the_test_is_refused(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=1)
    path = exported(test, "jsonl", tmp_path)
    Pair.objects.update(role=PairRole.PRACTICE, system="")

    assert refusal(lambda: taken_in(path, test.slug)) == (
        f"Nothing was imported, because {path.name} holds 1 mistake. Mend what is named here.\n"
        "line 1, role: It is 'gold' here, and 'practice' in the test."
    )


def test_the_test_must_ask_the_same(tmp_path: Path) -> None:
    path = exported(make_answered(TestKind.RATING, n_raters=1), "csv", tmp_path)
    compared, other, closer = make_test(kind=TestKind.COMPARISON), make_test(), make_test()
    closer.questions.update(scale_max=5)

    assert refusal(lambda: taken_in(path, compared.slug)) == (
        f"{path.name} holds single ratings, and the test {compared.slug} is one of paired comparisons. "
        "Import it into another test."
    )
    assert refusal(lambda: taken_in(path, other.slug)) == (
        f"{path.name} answers the question quality, which the test {other.slug} does not ask. Add it to the test with "
        "the scale from 1 to 5, in steps of 1, or import into another test."
    )
    assert refusal(lambda: taken_in(path, closer.slug)) == (
        f"{path.name} answers the question relevance on the scale from 0 to 10, in steps of 1, and the test "
        f"{closer.slug} asks it on the scale from 0 to 5, in steps of 1. Import it into another test."
    )


def test_simulated_answers_stay_among_simulated_ones(tmp_path: Path) -> None:
    path = changed(exported(make_answered(TestKind.RATING, n_raters=1), "jsonl", tmp_path), source="simulated")
    test = ListeningTest.objects.get()

    assert refusal(lambda: taken_in(path, test.slug)) == (
        f"changed.jsonl holds answers of simulated raters, and the raters of the test {test.slug} are people. "
        "Import it into a test of its own, with --create."
    )
    taken_in(path, "second")
    assert ListeningTest.objects.get(slug="second").is_simulated


def test_a_closed_test_takes_nothing_new(tmp_path: Path) -> None:
    path = exported(make_answered(TestKind.RATING, n_raters=1), "csv", tmp_path)
    taken_in(path, "second")
    other = exported(make_answered(TestKind.RATING, n_raters=1), "csv", tmp_path)
    ListeningTest.objects.update(status=TestStatus.CLOSED)

    assert taken_in(path, "second").new == 0
    assert refusal(lambda: taken_in(other, "second")) == (
        "The test second is closed, and takes no more answers. Import into another test."
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"", "a.txt ends neither with .csv nor with .jsonl nor with .parquet. Name it by its format."),
        ("a.csv", b"", "a.csv is empty. Its first line names the columns."),
        ("a.jsonl", b"", "a.jsonl holds no answers."),
        (
            "a.csv",
            b"rater,colour\n",
            "a.csv has the unknown column 'colour'. Remove it; docs/EXPORT.md lists the columns.",
        ),
        ("a.csv", b"rater,rater\n", "a.csv has the column rater twice. Remove one."),
        ("a.csv", b"rater,score\n\xff\n", "a.csv is not UTF-8. Save it as CSV in UTF-8."),
        ("a.csv", ",".join(NAMES).encode(), "a.csv holds no answers."),
        (
            "a.csv",
            b'rater,score\n"x',
            "a.csv lacks the column answer_uuid, test_kind, question, scale_min, scale_max, scale_step, caption, "
            "pair_uuid, clip_name, submitted_at. It has: rater, score.",
        ),
    ],
)
def test_a_file_that_holds_no_answers(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    assert refusal(lambda: taken_in(tmp_path / name, "second")) == sentence


def test_a_broken_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 no")

    assert refusal(lambda: taken_in(path, "second")).startswith("a.parquet cannot be read as Parquet (")


def test_there_is_no_such_thing(tmp_path: Path) -> None:
    path = write(tmp_path, "wav_file_name,text,score,rater", "a.wav,a dog,7,ann")

    assert refusal(lambda: taken_in(tmp_path / "b.csv", "second")) == (
        f"The file {tmp_path / 'b.csv'} is not there. Give the path of a file of ratings."
    )
    assert refusal(lambda: taken_in(path, "second", layout="xacle", create=False)) == (
        "There is no test second. Check its name, or make it as a draft with --create."
    )
    assert refusal(lambda: taken_in(path, "no slug", layout="xacle")) == (
        "'no slug' cannot be the address of a test. Use up to 80 letters a to z, digits, - and _."
    )
    assert refusal(lambda: taken_in(path, "second", layout="xacle", audio=tmp_path / "none")) == (
        f"The folder {tmp_path / 'none'} is not there. Give the folder, or the zip, that the sounds lie in."
    )


def test_a_file_that_is_no_sound_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "wav_file_name,text,score,rater", "a.wav,a dog,7,ann")
    (tmp_path / "a.wav").write_bytes(b"no sound")

    lines = refusal(lambda: taken_in(path, "second", layout="xacle", audio=tmp_path)).split("\n")

    assert lines[0] == (
        f"Nothing was imported, because {tmp_path}, the sounds of ratings.csv, holds 1 mistake. "
        "Mend what is named here."
    )
    assert lines[1].startswith("a.wav ")


def test_times_and_hostile_captions_come_back(tmp_path: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1, n_captions=len(HOSTILE))
    for file_format in FORMATS:
        taken_in(exported(test, file_format, tmp_path), f"second-{file_format}")
        second = ListeningTest.objects.get(slug=f"second-{file_format}")
        assert set(second.pairs.values_list("caption__text", flat=True)) == set(HOSTILE)
        assert list(second.ratings.values_list("shown_at", "submitted_at")) == list(
            test.ratings.order_by("submitted_at", "pk").values_list("shown_at", "submitted_at")
        )
