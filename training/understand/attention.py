"""Encoder-decoder with attention: the translator's own network on a toy language, and where it looks.

In French most adjectives follow their noun and a few precede it, so the order of the words changes:

    the small black cat sees the king   ->   le petit chat noir voit le roi
"""

import random
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from training.nn.batches import pad
from training.tasks.translate.config import Architecture
from training.tasks.translate.network import Network
from training.understand.figure import FigureOptions, save, train

NOUNS = {"cat": "chat", "dog": "chien", "baker": "boulanger", "king": "roi", "horse": "cheval"}
BEFORE = {"small": "petit", "big": "grand", "handsome": "beau"}
AFTER = {"black": "noir", "green": "vert", "grey": "gris", "white": "blanc", "quick": "rapide"}
VERBS = {"sees": "voit", "follows": "suit", "carries": "porte", "knows": "connaît"}
PAD, BEGIN, END = "", "<s>", "</s>"
WORDS = [PAD, BEGIN, END, "the", "le"]
WORDS += [
    word for words in (NOUNS, BEFORE, AFTER, VERBS) for pair in words.items() for word in pair
]
SHOWN = (
    "the small black cat sees the king",
    "the white horse carries the big grey dog",
)
BATCH = 32
LONGEST = 12


class Config(FigureOptions):
    steps: int = 250
    """Steps of the training."""


def draw(config: Config) -> list[Path]:
    """Prints how many random sentences come out right, and draws the attention of two."""
    network = learn(steps=config.steps, seed=config.seed)
    chance = random.Random("new")
    pairs = [phrase_pair(chance) for _ in range(100)]
    right = sum(translate(network, source)[0] == target for source, target in pairs)
    print(f"{right} of {len(pairs)} sentences right")
    figure, panels = plt.subplots(1, len(SHOWN), figsize=(10, 4.4), layout="constrained")
    for axes, text in zip(panels, SHOWN, strict=True):
        source = text.split()
        target, weights = translate(network, source)
        axes.imshow(weights.numpy(), cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(source) + 1), [*source, END], rotation=40, ha="left")
        axes.set_yticks(range(len(target) + 1), [*target, END])
        axes.xaxis.tick_top()
        axes.grid(visible=False)
    path = save(figure, config.out, "attention")
    plt.close(figure)
    return [path]


def learn(*, steps: int, seed: int) -> Network:
    torch.manual_seed(seed)
    sizes = Architecture(embedding=32, hidden=32, decoder=48, dropout=0.0)
    network = Network(sizes, len(WORDS))
    chance = random.Random(seed)

    def loss() -> Tensor:
        pairs = [phrase_pair(chance) for _ in range(BATCH)]
        source, lengths = pad([ids([*source, END]) for source, _ in pairs])
        target, target_lengths = pad([ids([BEGIN, *target, END]) for _, target in pairs])
        return network.loss(source, lengths, target, target_lengths, smoothing=0.0)

    train(network, loss, steps=steps)
    return network


def phrase_pair(chance: random.Random) -> tuple[list[str], list[str]]:
    """A random sentence and its translation."""
    sides = [_noun_phrase(chance) for _ in range(2)]
    verb, verbe = chance.choice(list(VERBS.items()))
    (subject, sujet), (object_, objet) = sides
    return [*subject, verb, *object_], [*sujet, verbe, *objet]


def _noun_phrase(chance: random.Random) -> tuple[list[str], list[str]]:
    noun = chance.choice(list(NOUNS))
    before = chance.sample(list(BEFORE), chance.randint(0, 1))
    after = chance.sample(list(AFTER), chance.randint(0, 1))
    return (
        ["the", *before, *after, noun],
        ["le", *(BEFORE[word] for word in before), NOUNS[noun], *(AFTER[word] for word in after)],
    )


@torch.no_grad()
def translate(network: Network, source: list[str]) -> tuple[list[str], Tensor]:
    """The translation, always taking the likeliest word, and the attention of each of its words and of its end
    to the source [target, source]."""
    one = torch.tensor([ids([*source, END])])
    keys, memory, states = network.encode(one, torch.tensor([one.shape[1]]))
    real, places = torch.ones_like(one, dtype=torch.bool), torch.eye(one.shape[1])[None]
    target: list[str] = []
    rows, last, now = [], BEGIN, states
    while last != END and len(target) <= LONGEST:
        token = torch.tensor([ids([last])])
        query, _ = network.first(network.embedding(token) * network.scale, now[0])
        # the context of unit vectors, one for each source word, is the weights themselves
        rows.append(network.attention(query, keys, places, real)[0, 0])
        read, now = network.decode(token, now, keys, memory, real)
        last = WORDS[int(network.logits(read)[0, 0].argmax())]
        target.append(last)
    return target[:-1] if last == END else target, torch.stack(rows)


def ids(words: list[str]) -> list[int]:
    return [WORDS.index(word) for word in words]
