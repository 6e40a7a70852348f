"""Sentences of corpora as the tagger reads them: their tags, words and characters."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service.tasks.ner.reading import NerWindow as Features
from service.tasks.ner.reading import Reader
from service.tasks.ner.values import VALUED_LABELS
from training.data import corpora, guidelines
from training.data.vocabulary import frequent_characters
from training.errors import TrainingError


class Example(NamedTuple):
    features: Features
    """A text as the tagger reads it."""
    tags: list[int]
    """The index of the tag of each of its words."""
    unknown: list[bool]
    """Of each tag, whether its label is not annotated in this text."""


def tags_in(data: corpora.Data[corpora.Tagged]) -> list[str]:
    """O, then B- and I- of every entity type of the training files.

    Raises TrainingError if there is none, or if dev or a test has one that training lacks.
    """
    known = _types(data.train)
    if not known:
        raise TrainingError("the training files hold no entity: every tag is O")
    for name, sentences in {"dev": data.dev, **data.tests}.items():
        if unseen := _types(sentences) - known:
            raise TrainingError(
                f"{name} has labels that the training files lack: {', '.join(sorted(unseen))}; "
                "rename or drop them with --labels"
            )
    return ["O", *(f"{prefix}-{label}" for label in sorted(known) for prefix in "BI")]


def _types(sentences: Sequence[corpora.Tagged]) -> set[str]:
    return {tag[2:] for sentence in sentences for tag in sentence.tags if tag != "O"}


def alphabet_of(sentences: Sequence[corpora.Tagged]) -> str:
    """The characters seen at least five times, or at all in a small corpus, in order."""
    characters = Counter(x for one in sentences for token in one.tokens for x in token)
    return frequent_characters(characters, at_least=5 if len(sentences) > 1000 else 1)


def join_neighbours(
    sentences: Sequence[corpora.Tagged], share: float, seed: int
) -> list[corpora.Tagged]:
    """A share of the sentences, each together with the next one: users send several at a time.

    Those of corpora with different labels are not joined.
    """
    starts = range(len(sentences) - 1)
    chosen = random.Random(f"{seed} joined").sample(starts, int(share * len(starts)))
    pairs = ((sentences[start], sentences[start + 1]) for start in sorted(chosen))
    return [
        replace(one, tokens=one.tokens + other.tokens, tags=one.tags + other.tags)
        for one, other in pairs
        if one.annotated == other.annotated
    ]


def recase(written: Sequence[str], chance: float) -> list[str]:
    """Words in lower case, in capitals or Capitalised, as `chance` is in the first, second or last third of 0
    to 1; from 1 on as written. The ids of words do not depend on case.

    >>> recase(["Ada", "wrote"], 0.5), recase(["Ada", "wrote"], 2.0)
    (['ADA', 'WROTE'], ['Ada', 'wrote'])
    """
    if chance >= 1:
        return list(written)
    change = (str.lower, str.upper, str.capitalize)[int(3 * chance)]
    return [change(word) for word in written]


def encode(
    sentences: Sequence[corpora.Tagged], reader: Reader, tags: list[str], longest: int
) -> list[Example]:
    """Sentences as examples.

    A corpus's token may be several words (`U.S.`): the first has the token's tag, the others continue the
    entity. Punctuation at the ends of a name that is no part of it gets no tag.
    """
    examples = []
    for sentence in sentences:
        features = reader.read(sentence.text)
        starts, start = [], 0
        for written in sentence.tokens:
            starts.append(start)
            start += len(written) + 1
        gold: list[str] = []
        token, last = 0, -1
        for begin, _ in features.spans[:longest]:
            while token + 1 < len(starts) and starts[token + 1] <= begin:
                token += 1
            tag = sentence.tags[token]
            if token == last and tag.startswith("B-"):
                tag = "I-" + tag[2:]
            gold.append(tag)
            last = token
        if gold:
            cut = Features(
                features.ids[:longest], features.words[:longest], features.spans[:longest]
            )
            spans = [
                (first, end, label)
                if label in VALUED_LABELS
                else (*guidelines.trimmed(cut.words, first, end), label)
                for first, end, label in guidelines.spans_of(gold)
            ]
            kept = [span for span in spans if span[0] < span[1]]
            trimmed = guidelines.tags_of(kept, len(gold))
            unknown = [
                sentence.annotated is not None and tag != "O" and tag[2:] not in sentence.annotated
                for tag in tags
            ]
            examples.append(Example(cut, [tags.index(tag) for tag in trimmed], unknown))
    return examples
