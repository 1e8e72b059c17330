"""A run from a snapshot to a model directory and a report."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from modeling.config import HEAD_POLICIES, TrainingConfig
from modeling.contamination import contamination
from modeling.dataset import PairSet, pair_set, refuse_too_little
from modeling.embeddings import NOTHING_KEPT, pair_cosines, read_mels
from modeling.evaluation import write_json
from modeling.kept_arrays import KeptArrays
from modeling.loading import ModelError, open_model
from modeling.model import Clap, cpu_threads
from modeling.model_card import model_card, window_of
from modeling.provenance import read_provenance
from modeling.results import MeasuredPoint, Progress, TrainingRefused, TrainingResult
from modeling.snapshot import Snapshot, SnapshotError, read_snapshot
from modeling.training.frozen import fit_on_frozen
from modeling.training.loop import SAVE_EVERY_S, Places, tune
from modeling.training.material import Material
from modeling.training.outcome import Outcome
from modeling.training.policies import choose_tuned, merge_adapters
from modeling.training.publishing import calibrate, publish_model, trained_on
from modeling.training.reporting import report_json, run_result
from modeling.training.team import Team, assemble
from modeling.training.towers import towers_for
from modeling.training.watch import Watch, total_units

REPORT, CONFIG, CHECKPOINTS, LOGS = "report.json", "config.json", "checkpoint", "logs"


def train(
    config: TrainingConfig,
    snapshot_dir: Path,
    out_dir: Path,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_point: Callable[[MeasuredPoint], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    cache: KeptArrays | None = None,
    save_every_s: float = SAVE_EVERY_S,
) -> TrainingResult:
    """Tune the configured model on the snapshot and report base and tuned agreement on its held-out pairs.

    Writes `out_dir/model`, `out_dir/config.json`, `out_dir/logs` (for TensorBoard) and, last, `out_dir/report.json`. A
    run that was interrupted goes on from its last checkpoint, of which there is one for every epoch, inside epochs one
    every `save_every_s` seconds, and one where it was cancelled, when called again with the same config and snapshot.
    The same seed on the same machine gives the same result. `cache` keeps log-mels, what frozen layers make of clips
    and captions, and the untuned model's embeddings between runs. `on_point` is told what was measured, step by step.
    Under `accelerate launch` the processes share each batch, and the first of them alone writes; all return the result.
    Raises `TrainingRefused` with a sentence, `TrainingCancelled` when `should_stop` said so (it is asked at every
    step).
    """
    started = time.monotonic()
    places = Places(out_dir / CHECKPOINTS, out_dir / LOGS, save_every_s)
    if (out_dir / REPORT).exists():
        raise TrainingRefused(f"{out_dir} already holds a finished run; name another directory.")
    snapshot = _read(snapshot_dir)
    pairs = pair_set(snapshot, config.target, config.question)
    refuse_too_little(pairs)
    team = assemble()
    clap = _open(config.model)
    watch = Watch(total_units(config, pairs), on_progress, should_stop, on_point)
    kept = cache or NOTHING_KEPT
    try:
        if config.policy in HEAD_POLICIES:
            outcome = fit_on_frozen(clap, config, snapshot, pairs, kept, watch)
        else:
            outcome = _tune_weights(clap, config, snapshot, pairs, kept, places, watch, team)
    except ModelError as error:
        raise TrainingRefused(str(error)) from error
    seen = contamination(clap.name, read_provenance(Path(config.model)), pairs, snapshot)
    result = run_result(pairs, outcome, clap, out_dir, time.monotonic() - started, seen)
    if not team.leads:
        return result
    card = model_card(result, snapshot, config, window_of(clap))
    publish_model(clap, outcome, card, trained_on(pairs, snapshot, config, clap), out_dir)
    write_json(out_dir / CONFIG, config.as_dict())
    write_json(out_dir / REPORT, report_json(result, snapshot))
    shutil.rmtree(places.checkpoints, ignore_errors=True)
    return result


def _tune_weights(
    clap: Clap,
    config: TrainingConfig,
    snapshot: Snapshot,
    pairs: PairSet,
    kept: KeptArrays,
    places: Places,
    watch: Watch,
    team: Team,
) -> Outcome:
    mels = read_mels(clap, snapshot, pairs.clips, watch.tick, kept)
    watch.begin("base")
    material = Material.of(clap, pairs, mels)
    measure = partial(pair_cosines, clap, pairs.clip, pairs.captions, mels, watch.tick)
    if config.policy == "last-stages":
        # The frozen part comes first: what is kept of it serves the measuring too, of all but held-out clips.
        choose_tuned(clap.network, config)
        towers = towers_for(clap, material, config, kept, watch.tick)
        base = measure(kept, pairs.clips, towers.shortcut)
    else:
        # Before LoRA is laid over the weights, so that they are known as those that embeddings were kept of.
        base = measure(kept, pairs.clips)
        choose_tuned(clap.network, config)
        towers = towers_for(clap, material, config, kept, watch.tick)
    watch.begin("training")
    fingerprint = _fingerprint(config, snapshot, clap.name)
    with cpu_threads(config.cpu_threads):
        state = tune(clap, config, material, towers, places, fingerprint, watch, team)
    merge_adapters(clap.network)
    watch.begin("tuned")
    tuned = measure(shortcut=towers.shortcut)
    return Outcome(base, tuned, calibrate(pairs, tuned), epochs_run=state.epoch, is_untuned=state.best_epoch == 0)


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


def _fingerprint(config: TrainingConfig, snapshot: Snapshot, model_name: str) -> str:
    told = json.dumps([config.as_dict(), snapshot.info.sha256, model_name], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
