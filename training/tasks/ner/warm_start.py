"""Warm start of a tagger from a published one, which gives its words, its letters and its weights."""

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from service.errors import BundleError
from service.registry import bundle
from service.registry.bundle import Corpus
from training.errors import TrainingError
from training.pretraining.warm_start import Pretrained
from training.tasks.ner.config import Architecture
from training.tasks.ner.network import Network
from training.tasks.ner.weights import read_weights

SIZES = (
    *("cell", "layers", "bidirectional", "merge", "embedding", "hidden"),
    *("character_embedding", "character_filters", "word_characters"),
)
"""Options of the network that must be those of the bundle."""
_OF_TAGS = ("output.weight", "output.bias", "crf.transitions", "crf.start", "crf.end")


@dataclass(frozen=True)
class Published:
    corpora: list[Corpus]
    """That it was trained on."""
    pretrained: Pretrained
    """All but what belongs to its tags."""
    tags: list[str]
    of_tags: dict[str, torch.Tensor]

    def copy_tags(self, network: Network, tags: list[str]) -> None:
        """Copies what it knows of the tags that both have; the rest stays."""
        pairs = [(tags.index(tag), own) for own, tag in enumerate(self.tags) if tag in tags]
        ours, theirs = (torch.tensor(places) for places in zip(*pairs, strict=True))
        weights = network.state_dict()
        for name, value in self.of_tags.items():
            if name == "crf.transitions":
                weights[name][ours[:, None], ours] = value[theirs[:, None], theirs]
            else:
                weights[name][ours] = value[theirs]


def read_published(path: Path, options: Architecture) -> Published:
    """The tagger in folder `path`. Raises TrainingError if it is damaged or no tagger of these sizes."""
    try:
        found = bundle.read(path.resolve())
    except BundleError as error:
        raise TrainingError(error.detail) from error
    manifest = found.manifest
    if manifest.task != "ner":
        raise TrainingError(f"--start {path}: this bundle is no tagger")
    theirs, ours = manifest.training.recipe["network"], options.model_dump()
    if other := [f"{size} {theirs[size]}" for size in SIZES if theirs[size] != ours[size]]:
        raise TrainingError(f"--start {path}: this training needs its {', '.join(other)}")
    weights = read_weights(found.path)
    vocabulary = Tokenizer.from_file(str(found.file("tokenizer.json"))).get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    table = weights.pop("embedding.weight").numpy()
    of_tags = {name: weights.pop(name) for name in _OF_TAGS}
    return Published(
        corpora=[one for one in manifest.training.corpora if one.split == "train"],
        pretrained=Pretrained(words, table, manifest.options["alphabet"], weights),
        tags=manifest.options["tags"],
        of_tags=of_tags,
    )
