"""CLAP behind one interface: how it embeds a clip or a caption, how it is written. No loss inside.

`embed_clips` and `embed_captions` are for training. `encode_mels`, `encode_audio` and `encode_text` are for scoring:
their bits depend on the clip or caption alone. Captions go eight at a time, always in the same shape for a caption of
so many tokens: the matrix products then do the same sums in the same order for each row, whatever the other rows hold.
The tests look at the bits. On a CPU each pass is made in one thread, and a clip goes through its tower alone, or where
the tower is small with others, as captions do. On a GPU both go in such shapes, in float32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from modeling.audio import Samples
from modeling.backbone import Embeddings
from modeling.cores import cpu_threads as cpu_threads
from modeling.cores import on_all_cores
from modeling.features import FUSED_CHANNELS, LogMel

# Rows of a fixed shape. In a tower like LAION's (28 million weights) a clip's 4,096 patches keep a core busy. The dozen
# tokens of a caption do not, nor does a clip in a small tower: there each operation is soon over, and threads wait for
# Python before the next. Many clips of the built-in model take 3.5 ms each one by one on two cores, 2.0 by threes, 1.9
# by fours; but one by itself takes 5, 11 and 14.
CPU_CAPTIONS, GPU_CAPTIONS, GPU_WINDOWS, SMALL_TOWER_WINDOWS = 8, 64, 32, 3
SMALL_TOWER_WEIGHTS = 2_000_000
# Captions are padded by this many tokens at most, or by half of what they have: so that a few captions of many lengths
# fill few shapes.
LEAST_TOKEN_STEP = 8


@dataclass
class Clap:
    """A CLAP model with its tokenizer and front end: a `modeling.backbone.Backbone`.

    `name` is what a report calls it, `note` what its reader must know.
    """

    network: Any
    tokenizer: Any
    extractor: Any
    name: str
    note: str = ""

    def __post_init__(self) -> None:
        self.log_mel = LogMel(self.extractor)
        weights = sum(weight.numel() for weight in self.network.audio_model.parameters())
        self._cpu_windows = SMALL_TOWER_WINDOWS if weights <= SMALL_TOWER_WEIGHTS else 1
        self.max_tokens = int(self.network.config.text_config.max_position_embeddings) - 2

    @property
    def device(self) -> torch.device:
        return torch.device(self.network.device)

    @property
    def sample_rate(self) -> int:
        return self.log_mel.sample_rate

    @property
    def on_cpu(self) -> bool:
        return self.device.type == "cpu"

    @property
    def windows_at_once(self) -> int:
        """How many windows of clips go through their tower in one pass."""
        return self._cpu_windows if self.on_cpu else GPU_WINDOWS

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
        return by_clip(self._embed_windows(self._windows(mels)), mels)

    def embed_captions(self, tokens: Sequence[Sequence[int]], length: int = 0) -> torch.Tensor:
        """Unit embeddings, shape (captions, dim), of captions given as their token ids, padded to `length` or to the
        longest.
        """
        longest = max(length, *map(len, tokens))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in tokens], device=self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens], device=self.device)
        embedded = self.network.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return functional.normalize(embedded, dim=-1)

    def encode_audio(self, clips: Sequence[Samples]) -> Embeddings:
        """Unit embeddings, shape (clips, dim), float32, of samples at `sample_rate`."""
        if not self.on_cpu:
            return self.encode_mels([self.log_mel(clip, self.device) for clip in clips])
        starts = range(0, len(clips), self.windows_at_once)
        parts = [clips[start : start + self.windows_at_once] for start in starts]
        made = on_all_cores(lambda part: self.encode_mels([self.log_mel(clip) for clip in part]), parts)
        return np.concatenate(list(made))

    def encode_mels(self, mels: Sequence[torch.Tensor]) -> Embeddings:
        """Unit embeddings, shape (clips, dim), float32, of clips given as their log-mel windows."""
        rows = self.windows_at_once
        with self._exactly():
            windows = self._windows(mels)
            parts = [windows[start : start + rows] for start in range(0, len(windows), rows)]
            embedded = torch.cat([self._embed_windows(_filled(part, rows))[: len(part)] for part in parts])
            return np.asarray(by_clip(embedded, mels).cpu().numpy())

    def encode_text(self, captions: Sequence[str]) -> Embeddings:
        """Unit embeddings, shape (captions, dim), float32."""
        tokens = [self.tokens(caption) for caption in captions]
        batches = _fixed_batches(tokens, self.max_tokens, CPU_CAPTIONS if self.on_cpu else GPU_CAPTIONS)
        found = np.empty((len(captions), int(self.network.config.projection_dim)), dtype=np.float32)

        def encode(batch: tuple[int, list[int]]) -> Embeddings:
            length, numbers = batch
            with self._exactly():
                embedded = self.embed_captions([tokens[number] for number in numbers], length)
                return np.asarray(embedded.cpu().numpy())

        results = on_all_cores(encode, batches) if self.on_cpu else map(encode, batches)
        for (_, numbers), embedded in zip(batches, results, strict=True):
            found[numbers] = embedded
        return found

    def fingerprint(self) -> str:
        """Of the weights, the front end and the tokenizer, of the device's kind and of torch: all that bits depend on.

        Worked out anew each time, since weights are tuned in place.
        """
        weights = sorted(self.network.state_dict().items())
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            told = [f"{name} {digest}" for (name, _), digest in zip(weights, pool.map(_digest, weights), strict=True)]
        # The shapes, for the bits depend on them.
        lengths = sorted({_padded(tokens) for tokens in range(self.max_tokens)})
        told += [str(self.windows_at_once), str(self.max_tokens), str(lengths)]
        told += [self.log_mel.fingerprint, _digest_tokenizer(self.tokenizer)]
        told += [self.device.type, torch.__version__, torch.backends.cpu.get_cpu_capability()]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def save(self, directory: Path) -> None:
        """Write the model so that plain `ClapModel.from_pretrained` and `ClapProcessor.from_pretrained` open it."""
        self.network.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)
        self.extractor.save_pretrained(directory)

    @contextmanager
    def _exactly(self) -> Iterator[None]:
        """No gradients; one CPU thread, or none of a GPU's short cuts in precision."""
        # What cudnn is told holds for the whole process: it is not for the threads of a CPU to tell.
        cudnn = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), cpu_threads(1) if self.on_cpu else cudnn:
            yield

    def _windows(self, mels: Sequence[torch.Tensor]) -> torch.Tensor:
        channels = FUSED_CHANNELS if self.log_mel.fused else 1
        return torch.cat([mel.to(self.device).expand(-1, channels, -1, -1) for mel in mels])

    def _embed_windows(self, windows: torch.Tensor) -> torch.Tensor:
        longer = torch.ones(len(windows), 1, dtype=torch.bool, device=self.device) if self.log_mel.fused else None
        embedded: torch.Tensor = self.network.get_audio_features(input_features=windows, is_longer=longer).pooler_output
        return embedded


def by_clip(embedded: torch.Tensor, mels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Unit embeddings of clips from those of their windows; each of `mels` is as long as its clip has windows."""
    if len(embedded) == len(mels):
        return functional.normalize(embedded, dim=-1)
    owner = torch.repeat_interleave(torch.tensor([len(mel) for mel in mels])).to(embedded.device)
    summed = embedded.new_zeros(len(mels), embedded.shape[1]).index_add(0, owner, embedded)
    return functional.normalize(summed, dim=-1)


def _filled(part: torch.Tensor, rows: int) -> torch.Tensor:
    """`part` with silent windows to make `rows`."""
    missing = rows - len(part)
    return torch.cat([part, part.new_zeros(missing, *part.shape[1:])]) if missing else part


def _fixed_batches(tokens: Sequence[Sequence[int]], most: int, rows: int) -> list[tuple[int, list[int]]]:
    """Padded length and numbers of captions, `rows` of them in each; a number is repeated where too few are left.

    Every caption has padding at its end: without any, attention would take another way.
    """
    by_length: dict[int, list[int]] = {}
    for number, row in enumerate(tokens):
        length = min(_padded(len(row)), most + 1)
        by_length.setdefault(length, []).append(number)
    batches = []
    for length, numbers in sorted(by_length.items()):
        for start in range(0, len(numbers), rows):
            part = numbers[start : start + rows]
            batches.append((length, part + part[:1] * (rows - len(part))))
    return batches


def _padded(tokens: int) -> int:
    """A power of two, or one and a half of one, that is more than `tokens`."""
    step = max(LEAST_TOKEN_STEP, 1 << max(0, tokens.bit_length() - 2))
    return (tokens // step + 1) * step


def _digest_tokenizer(tokenizer: Any) -> str:
    """Of all but padding and truncation, which say how it was called last."""
    told = json.loads(tokenizer.backend_tokenizer.to_str()) | {"padding": None, "truncation": None}
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _digest(weight: tuple[str, torch.Tensor]) -> str:
    value = weight[1].detach().cpu().contiguous()
    told = f"{value.dtype} {tuple(value.shape)} ".encode()
    digest = hashlib.sha256(told)
    digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
