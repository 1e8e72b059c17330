"""Whether a model has seen in training what it is judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modeling import splits
from modeling.data_sets import data_set_of, data_sets_of_model
from modeling.dataset import PairSet
from modeling.provenance import Provenance, caption_sha256
from modeling.snapshot import Snapshot


@dataclass(frozen=True)
class Contamination:
    """How many of the held-out clips, captions and pairs a model was trained on; a pair is by its clip or its caption.

    `known` is whether the model says what it was trained on; otherwise the counts are None. `data` is the public data
    set that the snapshot holds and that the model was trained on without saying which part of it, or None. What a
    model's base was pretrained on is not known to either.
    """

    model: str
    n_heldout: int
    known: bool
    clips: int | None = None
    captions: int | None = None
    pairs: int | None = None
    data: str | None = None

    @property
    def note(self) -> str:
        """What a reader of the figures must know; blank where nothing is."""
        told = []
        if self.pairs:
            told.append(
                f"{self.model} was trained on the clip or the caption of {self.pairs} of the {self.n_heldout} held-out "
                f"pairs ({self.clips} clips, {self.captions} captions): these figures are partly of what it has seen."
            )
        if self.data:
            told.append(
                f"{self.model} was trained on {self.data}, and by its systems this snapshot is of {self.data}: unless "
                "its held-out pairs are those that the model's authors held out, these figures are of what it has seen."
            )
        return " ".join(told)

    def as_dict(self) -> dict[str, Any]:
        counts = {"clips": self.clips, "captions": self.captions, "pairs": self.pairs}
        return {"known": self.known, **counts, "data": self.data}


def contamination(model: str, provenance: Provenance | None, pairs: PairSet, snapshot: Snapshot) -> Contamination:
    """Of a model, by its name and what lies beside its weights, on the held-out pairs of a snapshot."""
    heldout = pairs.where(splits.HELDOUT).tolist()
    held = data_set_of(snapshot.test, [pairs.systems[number] for number in heldout])
    trained_on = data_sets_of_model(model) if provenance is None else provenance.unlisted
    data = held if held in trained_on else None
    if provenance is None or not provenance.complete:
        return Contamination(model, len(heldout), known=False, data=data)
    clips, captions = set(provenance.clips), set(provenance.captions)
    of_pairs = [(pairs.clips[pairs.clip[number]], caption_sha256(pairs.captions[number])) for number in heldout]
    return Contamination(
        model,
        len(heldout),
        known=True,
        clips=len({clip for clip, _ in of_pairs} & clips),
        captions=len({caption for _, caption in of_pairs} & captions),
        pairs=sum(clip in clips or caption in captions for clip, caption in of_pairs),
        data=data,
    )
