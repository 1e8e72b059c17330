"""Which pairs are held out, and that the answer does not change as a test grows."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.splits import DROPPED, HELDOUT, TRAIN, VALIDATION, PairKey, assign_splits, caption_split, fold_caption

PAIRS = st.lists(
    st.builds(
        PairKey,
        caption=st.text(max_size=12),
        clip_sha256=st.sampled_from([f"clip-{number}" for number in range(30)]),
        source_id=st.none() | st.sampled_from([f"source-{number}" for number in range(15)]),
    ),
    max_size=60,
)


def caption_in(part: str, salt: str = "salt") -> str:
    """The first of some captions that the salt puts into the part."""
    return next(text for number in range(1000) if caption_split(text := f"caption {number}", salt) == part)


def test_it_works() -> None:
    keys = [PairKey(caption_in(part), f"clip of {part}") for part in (TRAIN, VALIDATION, HELDOUT)]
    assert assign_splits(keys, "salt") == [TRAIN, VALIDATION, HELDOUT]


def test_the_hash_is_what_the_contract_says() -> None:
    digest = hashlib.sha256(b"salt\0heldout\0a dog barks").digest()
    expected = int.from_bytes(digest[:6], "big") / 2**48 < 0.2
    assert (caption_split("  A dog\t BARKS ", "salt") == HELDOUT) is expected


def test_case_and_spaces_do_not_matter() -> None:
    assert fold_caption("  A  Dog\nbarks ") == fold_caption("a dog barks") == "a dog barks"


def test_about_a_fifth_is_held_out() -> None:
    parts = [caption_split(f"caption {number}", "salt") for number in range(5000)]
    assert 0.18 < parts.count(HELDOUT) / 5000 < 0.22
    assert 0.10 < parts.count(VALIDATION) / 5000 < 0.14


@pytest.mark.parametrize("same", [{"clip_sha256": "shared"}, {"source_id": "shared"}])
def test_a_training_pair_that_shares_a_sound_is_dropped(same: dict[str, str]) -> None:
    keys = [
        PairKey(**{"caption": caption_in(HELDOUT), "clip_sha256": "a", "source_id": None, **same}),
        PairKey(**{"caption": caption_in(TRAIN), "clip_sha256": "b", "source_id": None, **same}),
        PairKey(caption_in(TRAIN), "c"),
    ]
    assert assign_splits(keys, "salt") == [HELDOUT, DROPPED, TRAIN]


def test_an_own_split_wins() -> None:
    keys = [PairKey(caption_in(TRAIN), "a", own_split=HELDOUT), PairKey(caption_in(HELDOUT), "b", own_split=TRAIN)]
    assert assign_splits(keys, "salt") == [HELDOUT, TRAIN]


def test_an_unknown_own_split_is_refused() -> None:
    with pytest.raises(ValueError, match="own split must be one of train, validation, heldout, dropped; it is 'test'"):
        assign_splits([PairKey("a", "b", own_split="test")], "salt")


def test_a_fraction_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="heldout_fraction must be from 0 up to, not including, 1; it is 1"):
        assign_splits([], "salt", heldout_fraction=1)


@settings(deadline=None)
@given(pairs=PAIRS, salt=st.text(max_size=5))
def test_parts_share_neither_caption_nor_clip(pairs: list[PairKey], salt: str) -> None:
    parts = assign_splits(pairs, salt)
    kept = [(pair, part) for pair, part in zip(pairs, parts, strict=True) if part != DROPPED]
    for pair, part in kept:
        for other, other_part in kept:
            if part != other_part:
                assert fold_caption(pair.caption) != fold_caption(other.caption)
                assert pair.clip_sha256 != other.clip_sha256
                assert pair.source_id is None or pair.source_id != other.source_id


@settings(deadline=None)
@given(pairs=PAIRS, more=PAIRS, salt=st.text(max_size=5))
def test_a_held_out_pair_stays_held_out_as_pairs_arrive(pairs: list[PairKey], more: list[PairKey], salt: str) -> None:
    before, after = assign_splits(pairs, salt), assign_splits(pairs + more, salt)
    assert [part == HELDOUT for part in before] == [part == HELDOUT for part in after[: len(pairs)]]
    assert all(a == b or b == DROPPED for a, b in zip(before, after, strict=False))
