"""Options of a translator."""

from pathlib import Path

from pydantic import Field

from service.tasks.translate.task import ALTERNATIVES_WIDTH, READER
from training.config import Files, Fit, Options, Precision

REPEATS = 2
"""How often a token may stand in a row in a translation whose source repeats nothing more often."""

BUNDLE_OPTIONS = {"reader": READER, "repeats": REPEATS}
"""Options of every new bundle: how texts are read, and how often a token may be repeated."""


class Architecture(Options):
    source: str = "en"
    """Language code to translate from."""
    target: str = "fr"
    """Language code to translate into."""
    reverse: bool = False
    """The files hold the target in the first column and the source in the second."""
    vocabulary: int = Field(default=8000, ge=300)
    """Subwords shared by both languages."""
    max_tokens: int = Field(default=128, ge=8)
    """Longest sentence in subwords; longer ones are cut when serving and left out when training."""
    embedding: int = 256
    """Dimensions of a subword, shared by source, target and output."""
    hidden: int = 256
    """Units of a direction of the encoder."""
    layers: int = 1
    """Layers of the encoder."""
    decoder: int = 384
    """Units of each of the two layers of the decoder."""
    dropout: float = 0.1
    """Share of features that training hides."""
    changed: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the training pairs that are changed: more placeholders, capitals, careless typing."""
    label_smoothing: float = 0.1
    """Share of probability that training spreads over all subwords."""
    sampled: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the subwords that are in no target of a step that its softmax sums over; fewer train faster."""
    beam: int = Field(default=1, ge=1, le=ALTERNATIVES_WIDTH)
    """Width of the beam search when serving."""
    length_penalty: float = 1.0
    """Exponent of the length by which a hypothesis's log-probability is divided."""


class Finish(Options):
    """A last phase of the training, in which the rate falls to zero, on what the translator is to be best at."""

    finish_train: tuple[str, ...] = ()
    """Training files to read once more after the others, each by a part of its path, as written/ or europarl#0.1x;
    the first part that fits a file is taken. None: there is no such phase."""
    finish_epochs: int = Field(default=1, ge=1)
    """Epochs of this phase."""
    finish_now: bool = False
    """Begin this phase at the checkpoint of a named run, which can go on from there later."""


class Config(Options):
    files: Files = Files(out=Path("models/translate-en-fr"))
    network: Architecture = Architecture()
    fit: Fit = Fit()
    finish: Finish = Finish()
    chunk: int = Field(default=100_000, ge=1)
    """Pairs of an epoch; a corpus read more often (PATH#2x) is in more of them."""
    run: str = ""
    """Folder of checkpoints, in that of runs; named, a training goes on with other options, pairs or epochs."""
    clean: bool = False
    """Leave out pairs that are no translations of each other (training/data/cleaning.py)."""
    lexicon: tuple[str, ...] = ()
    """Files of pairs whose words and short phrases the bundle lists, to be looked up when a sentence is nothing
    else; the first file has the usual translations. None: the network translates them, too."""
    words: int = Field(default=0, ge=0)
    """How often a word stands in the targets, at least, to be listed in the bundle, whose search avoids words that
    are not; a corpus read twice (PATH#2x) counts twice. 0: no list."""
    start: Path | None = None
    """A published translator to start from, as models/translate-en-fr/1; its subwords and sizes are kept."""
    precision: Precision = "float32"
    """Precision of the products in the bundle; int8 is faster and smaller."""
    behaviour: Path | None = None
    """Folder of the small sets of `training behaviour`, which the bundle is then scored on too."""
    length_penalties: tuple[float, ...] = ()
    """Values of length_penalty of which the bundle gets the one with the best BLEU on dev; none: as it stands."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""

    @property
    def languages(self) -> list[str]:
        return [self.network.source, self.network.target]
