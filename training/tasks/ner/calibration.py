"""What is fitted on dev so that the tagger's confidences mean something: a temperature, and offsets by label."""

from collections.abc import Sequence

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

Batch = tuple[Tensor, Tensor, Tensor]
"""Emissions [batch, time, tags], gold tags [batch, time] and lengths [batch]."""


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
    """By label, the confidence of each entity found at a temperature, and whether it is right."""
    decoder = crf_decoder(crf, tags, temperature)
    found = {tag[2:]: GradedPredictions([], []) for tag in tags if tag != "O"}
    for emissions, gold, sizes in batches:
        scores = emissions.double().cpu().numpy() / temperature
        everything = decoder.entities(scores, sizes.cpu().numpy())
        for row, size, entities in zip(gold.tolist(), sizes.tolist(), everything, strict=True):
            spans = guidelines.spans_of([tags[tag] for tag in row[:size]])
            for first, last, tag, sure in entities:
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
