"""The one training loop: step, clip, validate, keep the best weights, checkpoint, resume.

Everything that decides what comes next (weights, optimiser, position, random state, history) is in the
checkpoint, and batches depend on seed and epoch alone. So a run that was killed and started again ends in
the same weights as one that was not. The processes of torchrun share each batch (distributed.py).
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from training.config import Fit
from training.errors import TrainingError
from training.nn import distributed
from training.nn.batches import BatchLoss, bucketed
from training.nn.checkpoint import (
    CHECKPOINT,
    LOG,
    History,
    Point,
    Progress,
    read_checkpoint,
    resume,
    save_checkpoint,
)
from training.nn.optimizer import Optimizer, WeightAverage
from training.nn.precision import multiplies_bfloat16

NOTHING = BatchLoss(torch.zeros(()), 0, 0)


def device_of(options: Fit) -> torch.device:
    """The device that `--device` means here. Raises TrainingError if CUDA is asked for and not there."""
    if options.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: PyTorch finds no CUDA device here")
    cuda = options.device == "cuda" or (options.device == "auto" and torch.cuda.is_available())
    return distributed.cuda_device() if cuda else torch.device("cpu")


def prepare(options: Fit) -> torch.device:
    """Seeds PyTorch and sets its threads; to be called before the network is made."""
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    return device_of(options)


def fit(
    network: nn.Module,
    *,
    lengths: Sequence[int] | Callable[[int], Sequence[int]],
    loss: Callable[[list[int]], BatchLoss],
    validate: Callable[[], float],
    options: Fit,
    folder: Path,
    begun: Path | None = None,
) -> History:
    """Trains `network` in place and leaves the best weights in it.

    lengths: tokens of each example, by which a step's examples are chosen (batches.py); or a function that makes
    the examples of an epoch, by its number, and gives these.
    loss: of a batch; called with the indices of its examples.
    validate: -> score on dev, higher is better; called with the network in evaluation mode.
    folder: for `checkpoint.pt` and `log.jsonl`; a checkpoint found there is taken up.
    begun: the checkpoint of an earlier phase, whose optimiser goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = next(network.parameters()).device
    narrow = (options.bfloat16 or device.type == "cuda") and multiplies_bfloat16(device)
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = Optimizer(network, options)

    def plan(epoch: int) -> list[list[int]]:
        sizes = lengths(epoch) if callable(lengths) else lengths
        distributed.check_equal((options, hash(tuple(sizes))), "options or examples")
        return bucketed(sizes, tokens=options.batch_tokens, seed=options.seed, epoch=epoch)

    progress, history = Progress(), History()
    mean = WeightAverage(learnt, options.average)
    best = {name: value.detach().clone() for name, value in network.state_dict().items()}
    checkpoint = folder / CHECKPOINT
    state = distributed.from_first(
        lambda: read_checkpoint(checkpoint) if checkpoint.exists() else None
    )
    if state:
        progress, history, best = resume(state, network, optimizer, mean)
        tqdm.write(f"resumed at step {progress.step} from {checkpoint}")
    else:
        (folder / LOG).unlink(missing_ok=True)
        if begun:
            optimizer.load_state_dict(
                distributed.from_first(lambda: read_checkpoint(begun))["optimizer"]
            )
    distributed.same_weights(network)
    planned, batches = progress.epoch, plan(progress.epoch)
    started, saved = time.monotonic(), time.monotonic()
    before = history.seconds

    def save() -> None:
        if not distributed.is_first():
            return
        history.seconds = before + time.monotonic() - started
        save_checkpoint(checkpoint, network, optimizer, mean, progress, history, best)

    total = progress.step + (options.epochs - progress.epoch) * len(batches) - progress.batch
    bar = tqdm(
        total=total,
        initial=progress.step,
        unit="step",
        mininterval=5,
        dynamic_ncols=True,
        disable=not distributed.is_first(),
    )
    while progress.epoch < options.epochs and not progress.stopped:
        if planned != progress.epoch:
            planned, batches = progress.epoch, plan(progress.epoch)
        while progress.batch < len(batches) and not progress.stopped:
            network.train()
            done = (progress.epoch + progress.batch / len(batches)) / options.epochs
            distributed.seed_step(options.seed, progress.step)
            part = distributed.share(batches[progress.batch])
            with torch.autocast(device.type, torch.bfloat16, enabled=narrow):
                read = loss(part) if part else NOTHING
            if read.weight:
                read.mean.backward()
            value, _, tokens = distributed.average(learnt, read)
            if not torch.isfinite(value):
                raise TrainingError(
                    f"step {progress.step}: the loss is {value.item()}; lower --learning-rate"
                )
            nn.utils.clip_grad_norm_(learnt, options.clip)
            optimizer.step(_rate(progress.step, done, options))
            mean.add(progress.step)
            progress.step += 1
            progress.batch += 1
            progress.tokens += tokens
            progress.loss_sum += value.item()
            progress.loss_count += 1
            bar.update()
            if progress.batch in _marks(len(batches), options.validations):
                network.eval()
                mean.swap()
                with torch.no_grad():
                    score = distributed.from_first(validate)
                point = Point(
                    step=progress.step,
                    epoch=progress.epoch + progress.batch / len(batches),
                    loss=progress.loss_sum / progress.loss_count,
                    score=score,
                    seconds=before + time.monotonic() - started,
                    tokens=progress.tokens,
                )
                history.points.append(point)
                if distributed.is_first():
                    with (folder / LOG).open("a", encoding="utf-8") as log:
                        log.write(json.dumps(asdict(point)) + "\n")
                progress.loss_sum, progress.loss_count = 0.0, 0
                if score > progress.best_score:
                    progress.best_score, progress.without_gain = score, 0
                    best = {
                        name: value.detach().clone() for name, value in network.state_dict().items()
                    }
                else:
                    progress.without_gain += 1
                    progress.stopped = progress.without_gain >= options.patience
                mean.swap()
                distributed.same_weights(network)
                bar.write(
                    f"epoch {point.epoch:.2f}  loss {point.loss:.4f}  dev {score:.4f}"
                    f"  best {progress.best_score:.4f}  {point.seconds:.0f} s"
                )
                save()
                saved = time.monotonic()
            elif time.monotonic() - saved > options.checkpoint_seconds:
                save()
                saved = time.monotonic()
            pace = tokens * (bar.format_dict["rate"] or 0)
            bar.set_postfix(loss=f"{value.item():.3f}", tok_s=f"{pace:.0f}", refresh=False)
        if not progress.stopped:
            progress.epoch, progress.batch = progress.epoch + 1, 0
    bar.close()
    save()
    network.load_state_dict(best)
    network.eval()
    return history


def _marks(batches: int, validations: int) -> set[int]:
    """After which batches of an epoch to validate; always after the last.

    >>> sorted(_marks(10, 3))
    [3, 6, 10]
    """
    return {batches * part // validations for part in range(1, validations + 1)}


def _rate(step: int, done: float, options: Fit) -> float:
    """Learning rate of a step: a linear rise, then half a cosine to zero, the same rate, or a line to zero.

    constant and decay are two phases of one schedule (Hu et al. 2024, MiniCPM: warm-up, stable, decay).
    done: share of the training before this step, in epochs, which may have unlike numbers of steps.
    """
    if options.warmup_steps:
        rise = min(1.0, (step + 1) / options.warmup_steps)
    else:
        rise = min(1.0, (done + 1e-3) / options.warmup) if options.warmup else 1.0
    if options.schedule == "constant" or rise < 1:
        return options.learning_rate * rise
    left = min(1.0, 1 - (done - options.warmup) / (1 - options.warmup))
    if options.schedule == "decay":
        return options.learning_rate * left
    return options.learning_rate * 0.5 * (1 + math.cos(math.pi * (1 - left)))
