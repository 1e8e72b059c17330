"""CLAP behind one interface: how it embeds a clip or a caption, how it is written. No loss inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from modeling.audio import LogMel


@contextmanager
def cpu_threads(number: int) -> Iterator[None]:
    """Let torch use this many CPU threads; 0 leaves its own choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class Clap:
    """A CLAP model with its tokenizer and front end.

    `name` is what a report calls it, `note` what its reader must know.
    """

    network: Any
    tokenizer: Any
    extractor: Any
    name: str
    note: str = ""

    def __post_init__(self) -> None:
        self.log_mel = LogMel(self.extractor)
        self.max_tokens = int(self.network.config.text_config.max_position_embeddings) - 2

    @property
    def device(self) -> torch.device:
        return torch.device(self.network.device)

    def tokens(self, caption: str) -> list[int]:
        """Token ids of a caption, cut at what the text tower holds; lone surrogates become replacement characters."""
        clean = caption.encode("utf-8", "replace").decode("utf-8")
        # Cut here: a tokenizer told to truncate is saved so, and ClapProcessor would then truncate the audio too.
        ids: list[int] = self.tokenizer(clean, verbose=False)["input_ids"]
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]

    def embed_clips(self, mels: Sequence[torch.Tensor]) -> torch.Tensor:
        """Unit embeddings, shape (clips, dim), of clips given as their log-mel windows (windows, channels, frames,
        mels).

        A clip of several windows is the normalised mean of theirs.
        """
        windows = torch.cat(list(mels)).to(self.device)
        longer = torch.ones(len(windows), 1, dtype=torch.bool, device=self.device) if self.log_mel.fused else None
        embedded = self.network.get_audio_features(input_features=windows, is_longer=longer).pooler_output
        if len(windows) == len(mels):
            return functional.normalize(embedded, dim=-1)
        owner = torch.repeat_interleave(torch.tensor([len(mel) for mel in mels])).to(self.device)
        summed = embedded.new_zeros(len(mels), embedded.shape[1]).index_add(0, owner, embedded)
        return functional.normalize(summed, dim=-1)

    def embed_captions(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Unit embeddings, shape (captions, dim), of captions given as their token ids."""
        longest = max(map(len, tokens))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in tokens], device=self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens], device=self.device)
        embedded = self.network.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return functional.normalize(embedded, dim=-1)

    def save(self, directory: Path) -> None:
        """Write the model so that plain `ClapModel.from_pretrained` and `ClapProcessor.from_pretrained` open it."""
        self.network.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)
        self.extractor.save_pretrained(directory)
