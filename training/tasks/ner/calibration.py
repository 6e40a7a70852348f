"""What is fitted on dev so that the tagger's confidences mean something: a temperature, and offsets by label."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from service.tasks.ner.crf import CRFDecoder
from training.data import guidelines
from training.evaluation.calibration import (
    GradedPredictions,
    best_temperature,
    log_odds_offsets,
    mean_log_loss,
)
from training.nn.crf import CRF
from training.tasks.ner.network import Network


class Batch(NamedTuple):
    emissions: Tensor
    """[batch, time, tags]"""
    tags: Tensor
    """Gold [batch, time]."""
    lengths: Tensor
    """[batch]"""
    unknown: Tensor
    """Tags of labels that are not annotated in a text [batch, tags], bool."""


def calibrate_network(
    network: Network, tags: list[str], batches: Sequence[Batch]
) -> dict[str, float]:
    """Sets the network's temperature; gives the offsets of the log-odds by label."""

    def loss(temperature: float) -> float:
        return mean_log_loss(graded_predictions(network.crf, tags, batches, temperature).values())

    network.temperature.fill_(best_temperature(loss))
    return log_odds_offsets(
        graded_predictions(network.crf, tags, batches, float(network.temperature))
    )


def graded_predictions(
    crf: CRF, tags: list[str], batches: Sequence[Batch], temperature: float
) -> dict[str, GradedPredictions]:
    """By label, the confidence of each entity found at a temperature, and whether it is right; without those of
    a label that is not annotated in the text."""
    decoder = crf_decoder(crf, tags, temperature)
    found = {tag[2:]: GradedPredictions([], []) for tag in tags if tag != "O"}
    for emissions, gold, sizes, unknown in batches:
        scores = emissions.double().cpu().numpy() / temperature
        everything = decoder.entities(scores, sizes.cpu().numpy())
        rows = zip(gold.tolist(), sizes.tolist(), unknown.tolist(), everything, strict=True)
        for row, size, other, entities in rows:
            spans = guidelines.spans_of([tags[tag] for tag in row[:size]])
            for first, last, tag, sure in entities:
                if other[tag]:
                    continue
                label = tags[tag][2:]
                found[label].confidences.append(sure)
                found[label].right.append((first, last + 1, label) in spans)
    return found


def crf_decoder(crf: CRF, tags: list[str], temperature: float = 1.0) -> CRFDecoder:
    """The trained CRF as the service decodes it."""
    transitions, start, end = (
        potential.detach().double().cpu().numpy() / temperature for potential in crf.potentials()
    )
    return CRFDecoder(transitions, start, end, tags)
