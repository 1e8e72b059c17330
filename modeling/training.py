"""Tune CLAP on human scores: one visible loop, from a snapshot to a model directory and a report."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from modeling import checkpoint, metrics, splits
from modeling.checkpoint import LoopState
from modeling.config import TrainingConfig
from modeling.dataset import PairSet, pair_set, refuse_too_little
from modeling.evaluation import pair_cosines, people, read_mels, values_as_json, write_json
from modeling.loading import ModelError, open_model
from modeling.losses import Batch, weighted_sum
from modeling.metrics import Floats
from modeling.model import Clap, cpu_threads
from modeling.results import PairPrediction, Progress, TrainingCancelled, TrainingRefused, TrainingResult
from modeling.scoring import Calibration, fit_calibration, write_calibration
from modeling.snapshot import Snapshot, SnapshotError, read_snapshot

__all__ = ["PairPrediction", "Progress", "TrainingCancelled", "TrainingRefused", "TrainingResult", "train"]

# Below this many validation pairs an SRCC is noise: then nothing is selected by it and the last epoch's weights are
# taken.
MIN_VALIDATION = 20
# A training step costs about three forward passes: one there, two back.
STEP_COST = 3
KEPT = (
    "On the validation pairs no epoch agreed better with people than the untuned model, so its weights were kept. "
    "Collect ratings for more captions."
)
READING = "reading"
REPORT, CONFIG, MODEL, CHECKPOINTS = "report.json", "config.json", "model", "checkpoint"


@dataclass
class _Watch:
    """Counts units of work (one is a clip through the tower), tells the caller, and asks whether to stop."""

    total: int
    on_progress: Callable[[Progress], None] | None
    should_stop: Callable[[], bool] | None
    phase: str = READING
    done: int = 0
    loss: float | None = None
    validation_srcc: float | None = None
    started: float = field(default_factory=time.monotonic)
    skipped: int = 0

    def tick(self, units: int = 1) -> None:
        if self.should_stop is not None and self.should_stop():
            raise TrainingCancelled("The run was cancelled.")
        self.done += units
        if self.on_progress is not None:
            self.on_progress(
                Progress(self.phase, self.done, self.total, self.loss, self.validation_srcc, self._seconds_left())
            )

    def begin(self, phase: str) -> None:
        """Enter a phase. Reading's pace says nothing of the model's: time left is told once it is over."""
        if self.phase == READING:
            self.started, self.skipped = time.monotonic(), self.done
        self.phase = phase

    def skip(self, units: int) -> None:
        """Count work that need not be done."""
        self.done += units
        self.skipped += units

    def _seconds_left(self) -> float | None:
        worked = self.done - self.skipped
        if worked < 10 or self.phase == READING:
            return None
        return (time.monotonic() - self.started) / worked * max(0, self.total - self.done)


def train(
    config: TrainingConfig,
    snapshot_dir: Path,
    out_dir: Path,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Tune the configured model on the snapshot and report base and tuned agreement on its held-out pairs.

    Writes `out_dir/model`, `out_dir/config.json` and, last, `out_dir/report.json`; a run that was interrupted goes on
    from its last epoch when called again with the same config and snapshot. The same seed on the same machine gives the
    same result. Raises `TrainingRefused` with a sentence, `TrainingCancelled` when `should_stop` said so (it is asked
    at every step).
    """
    started = time.monotonic()
    if (out_dir / REPORT).exists():
        raise TrainingRefused(f"{out_dir} already holds a finished run; name another directory.")
    snapshot = _read(snapshot_dir)
    pairs = pair_set(snapshot, config.target)
    refuse_too_little(pairs)
    clap = _open(config.model)
    watch = _Watch(_total_units(config, pairs), on_progress, should_stop)
    mels = read_mels(clap, snapshot, pairs.clips, watch.tick)
    watch.begin("base")
    base = pair_cosines(clap, pairs.clip, pairs.captions, mels, watch.tick)
    watch.begin("training")
    fingerprint = _fingerprint(config, snapshot, clap.name)
    with cpu_threads(config.cpu_threads):
        state = _tune(clap, config, pairs, mels, out_dir / CHECKPOINTS, fingerprint, watch)
    watch.begin("tuned")
    tuned = pair_cosines(clap, pairs.clip, pairs.captions, mels, watch.tick)
    calibration = _calibrate(pairs, tuned)
    _publish_model(clap, calibration, out_dir)
    result = _result(pairs, base, tuned, calibration, clap, out_dir, state, time.monotonic() - started)
    write_json(out_dir / CONFIG, config.as_dict())
    write_json(out_dir / REPORT, report_json(result, snapshot))
    shutil.rmtree(out_dir / CHECKPOINTS, ignore_errors=True)
    return result


def _read(snapshot_dir: Path) -> Snapshot:
    try:
        return read_snapshot(snapshot_dir)
    except SnapshotError as error:
        raise TrainingRefused(str(error)) from error


def _open(model: str) -> Clap:
    try:
        return open_model(model)
    except ModelError as error:
        raise TrainingRefused(str(error)) from error


def _total_units(config: TrainingConfig, pairs: PairSet) -> int:
    return 3 * len(pairs.clips) + len(pairs.where(splits.VALIDATION)) + config.epochs * _epoch_units(pairs)


def _epoch_units(pairs: PairSet) -> int:
    return STEP_COST * len(pairs.where(splits.TRAIN)) + len(pairs.where(splits.VALIDATION))


def _tune(
    clap: Clap,
    config: TrainingConfig,
    pairs: PairSet,
    mels: Sequence[torch.Tensor],
    folder: Path,
    fingerprint: str,
    watch: _Watch,
) -> LoopState:
    """The loop. Leaves the best weights in the network, by the validation pairs, never the held-out ones.

    The untuned weights stand as epoch 0 and are kept where no epoch agrees better with people than they do.
    """
    train_pairs, validation_pairs = pairs.where(splits.TRAIN), pairs.where(splits.VALIDATION)
    tokens = [clap.tokens(caption) for caption in pairs.captions]
    optimiser = _optimiser(clap.network, config)
    steps_per_epoch = math.ceil(len(train_pairs) / config.batch_size)
    resumed = checkpoint.restore(folder, fingerprint, clap.network, optimiser)
    state, best = resumed if resumed else (LoopState(fingerprint), checkpoint.weights_of(clap.network))
    watch.skip(state.epoch * _epoch_units(pairs))
    if resumed is None:
        state.best_srcc = _validate(clap, pairs, mels, tokens, validation_pairs, config.batch_size, watch)
    while state.epoch < config.epochs and state.epoch - state.best_epoch < config.patience:
        losses = []
        for step, numbers in enumerate(_batches(train_pairs, steps_per_epoch, config.seed, state.epoch)):
            _set_rates(optimiser, config, state.epoch * steps_per_epoch + step, config.epochs * steps_per_epoch)
            batch = _forward(clap, pairs, mels, tokens, numbers)
            loss, _ = weighted_sum(batch, config.losses)
            losses.append(_finite(loss))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(clap.network.parameters(), 1.0)
            optimiser.step()
            watch.loss = losses[-1]
            watch.tick(STEP_COST * len(numbers))
        srcc = _validate(clap, pairs, mels, tokens, validation_pairs, config.batch_size, watch)
        state.epoch += 1
        state.losses.append(float(np.mean(losses)))
        state.validation.append(srcc)
        if srcc is None or state.best_srcc is None or srcc > state.best_srcc:
            state.best_epoch, state.best_srcc, best = state.epoch, srcc, checkpoint.weights_of(clap.network)
        checkpoint.save(folder, state, clap.network, best, optimiser)
    clap.network.load_state_dict(best)
    watch.skip(watch.total - watch.done - len(pairs.clips))
    return state


def _finite(loss: torch.Tensor) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise TrainingRefused("The loss is no longer a number; lower learning_rate and tower_learning_rate.")
    return value


def _batches(
    train_pairs: npt.NDArray[np.int64], n_batches: int, seed: int, epoch: int
) -> Iterator[npt.NDArray[np.int64]]:
    """The epoch's batches, of almost equal size, in an order that depends on seed and epoch alone."""
    rng = np.random.default_rng([seed, epoch])
    yield from np.array_split(rng.permutation(train_pairs), n_batches)


def _forward(
    clap: Clap,
    pairs: PairSet,
    mels: Sequence[torch.Tensor],
    tokens: Sequence[Sequence[int]],
    numbers: npt.NDArray[np.int64],
) -> Batch:
    """Embed a batch: each distinct clip and caption goes through its tower once."""
    clips, clip = np.unique(pairs.clip[numbers], return_inverse=True)
    captions = {splits.fold_caption(pairs.captions[number]): number for number in numbers}
    place = {folded: index for index, folded in enumerate(captions)}
    caption = [place[splits.fold_caption(pairs.captions[number])] for number in numbers]
    sounds = clap.embed_clips([mels[index] for index in clips])
    texts = clap.embed_captions([tokens[number] for number in captions.values()])
    clip_number, caption_number = (torch.as_tensor(v, device=clap.device) for v in (clip, caption))
    return Batch(
        sounds=sounds[clip_number],
        texts=texts[caption_number],
        target=torch.as_tensor(pairs.target[numbers] / 10, dtype=torch.float32, device=clap.device),
        clip=clip_number,
        caption=caption_number,
        scale_audio=clap.network.logit_scale_a.exp(),
        scale_text=clap.network.logit_scale_t.exp(),
    )


def _validate(
    clap: Clap,
    pairs: PairSet,
    mels: Sequence[torch.Tensor],
    tokens: Sequence[Sequence[int]],
    validation_pairs: npt.NDArray[np.int64],
    batch_size: int,
    watch: _Watch,
) -> float | None:
    """SRCC with people on the validation pairs; None where they are too few to say anything."""
    if len(validation_pairs) < MIN_VALIDATION:
        return None
    cosines: list[Floats] = []
    for numbers in np.array_split(validation_pairs, math.ceil(len(validation_pairs) / batch_size)):
        with torch.inference_mode():
            cosines.append(_forward(clap, pairs, mels, tokens, numbers).cosine.double().cpu().numpy())
        watch.tick(len(numbers))
    watch.validation_srcc = metrics.srcc(np.concatenate(cosines), pairs.human_mean[validation_pairs])
    return watch.validation_srcc


def _optimiser(network: Any, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW with decay on matrices only; the towers have a rate of their own."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        in_tower = name.startswith(("audio_model.", "text_model."))
        groups.setdefault((in_tower, parameter.ndim >= 2), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "full_rate": config.tower_learning_rate if in_tower else config.learning_rate,
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (in_tower, decays), parameters in groups.items()
        ]
    )


def _set_rates(optimiser: torch.optim.Optimizer, config: TrainingConfig, step: int, total: int) -> None:
    """Linear warm-up, then half a cosine down to 0."""
    warmup = config.warmup_fraction * total
    done = (step - warmup) / max(1.0, total - warmup)
    factor = (step + 1) / (warmup + 1) if step < warmup else 0.5 + 0.5 * math.cos(math.pi * done)
    for group in optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor


def _calibrate(pairs: PairSet, tuned: Floats) -> Calibration:
    """On the validation pairs, which the weights have not seen; on training pairs too where those are too few."""
    chosen, fitted_on = pairs.where(splits.VALIDATION), "validation"
    if len(chosen) < MIN_VALIDATION:
        chosen, fitted_on = pairs.where(splits.TRAIN, splits.VALIDATION), "train and validation"
    return fit_calibration(tuned[chosen], pairs.human_mean[chosen], fitted_on)


def _publish_model(clap: Clap, calibration: Calibration, out_dir: Path) -> None:
    """Write the model directory beside its place and rename it there."""
    draft, place = out_dir / f".{MODEL}.draft", out_dir / MODEL
    for old in (draft, place):
        shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    clap.save(draft)
    write_calibration(calibration, draft)
    for path in draft.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    draft.rename(place)


def _result(
    pairs: PairSet,
    base: Floats,
    tuned: Floats,
    calibration: Calibration,
    clap: Clap,
    out_dir: Path,
    state: LoopState,
    seconds: float,
) -> TrainingResult:
    heldout = pairs.where(splits.HELDOUT)
    captions = [splits.fold_caption(pairs.captions[number]) for number in heldout]
    comparison = metrics.compare(base[heldout], tuned[heldout], pairs.human_mean[heldout], captions)
    one_vs_rest, ceiling = people(pairs)
    scores = calibration.score(tuned)
    return TrainingResult(
        n_heldout=len(heldout),
        n_train=len(pairs.where(splits.TRAIN)),
        n_validation=len(pairs.where(splits.VALIDATION)),
        n_dropped=len(pairs.where(splits.DROPPED)),
        base=comparison.base,
        tuned=comparison.tuned,
        difference=comparison.difference,
        one_vs_rest_srcc=one_vs_rest,
        ceiling_srcc=ceiling,
        predictions=tuple(
            PairPrediction(
                pair=pair,
                split=str(pairs.split[number]),
                human_mean=float(pairs.human_mean[number]),
                n_ratings=int(pairs.n_ratings[number]),
                base_cosine=float(base[number]),
                tuned_cosine=float(tuned[number]),
                tuned_score=float(scores[number]),
            )
            for number, pair in enumerate(pairs.pairs)
        ),
        model_dir=out_dir / MODEL,
        model_name=clap.name,
        note=" ".join(filter(None, (clap.note, KEPT if state.best_epoch == 0 else ""))),
        epochs_run=state.epoch,
        seconds=seconds,
    )


def report_json(result: TrainingResult, snapshot: Snapshot) -> dict[str, Any]:
    """The report as plain values: keys as in `manage.py train --json`, null where undefined."""
    return {
        "n_heldout": result.n_heldout,
        "n_train": result.n_train,
        "n_validation": result.n_validation,
        "n_dropped": result.n_dropped,
        "base": values_as_json(result.base),
        "tuned": values_as_json(result.tuned),
        "difference": values_as_json(result.difference),
        "one_vs_rest_srcc": result.one_vs_rest_srcc.as_dict(),
        "ceiling_srcc": result.ceiling_srcc.as_dict(),
        "model": result.model_name,
        "note": result.note,
        "epochs_run": result.epochs_run,
        "seconds": result.seconds,
        "snapshot_sha256": snapshot.info.sha256,
    }


def _fingerprint(config: TrainingConfig, snapshot: Snapshot, model_name: str) -> str:
    told = json.dumps([config.as_dict(), snapshot.info.sha256, model_name], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
