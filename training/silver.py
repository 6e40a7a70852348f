"""Labels sentences of an encyclopedia by itself, for a tagger that shall know more names than people labelled.

An article says in its first sentence what it is about: `Anatole Taubman (born 1970) is a Swiss actor`. The noun
tells the type of the name, here and wherever the article uses it again; a name of a film or a ship is none of
our types. All other names in these sentences are labelled by a tagger trained before, and a sentence in which
that one is unsure is left out. The outcome is silver: good to train on, never to score on.
"""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field
from tqdm import tqdm

from service.registry.bundle import read
from service.tasks.base import predict
from service.tasks.ner.task import Entity, Ner
from training.config import Options, parse
from training.corpora import locate, read_texts
from training.errors import TrainingError
from training.guidelines import DEMONYMS, Span, tags_of
from training.tokenization import word_tokenizer


class Config(Options):
    text: tuple[str, ...] = ()
    """Files of articles, a paragraph a line and a blank line between articles; .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    bundle: Path = Path("models/ner/1")
    """Folder of the version of a tagger that labels the other names."""
    out: Path = Path("runs/silver.txt")
    """File to write, in CoNLL's two columns."""
    each: Annotated[int, Field(ge=1)] = 5000
    """Most articles about people, about places, about organisations, and about other things."""
    sure: float = 0.6
    """A sentence with a name of a lower score is left out."""
    seed: int = 1
    """Chooses the articles."""


_NOUNS = {
    "PER": """actor actress activist architect artist astronaut astronomer athlete author banker baseball-player
        biologist bishop boxer businessman businesswoman cardinal chef chemist clergyman coach composer comedian
        cricketer critic cyclist dancer designer diplomat director economist engineer entrepreneur explorer
        filmmaker footballer general golfer governor guitarist historian inventor jockey journalist judge jurist
        lawyer linguist mathematician missionary model musician nobleman novelist nurse officer painter
        philosopher photographer physician physicist pianist player playwright poet politician presenter priest
        producer professor psychologist rabbi racing-driver rapper researcher rower runner sailor scholar
        scientist screenwriter sculptor senator singer skater skier soldier songwriter sprinter striker surgeon
        swimmer teacher theologian translator violinist wrestler writer midfielder defender goalkeeper
        quarterback pitcher outfielder""",
    "LOC": """village town city municipality commune hamlet suburb neighbourhood neighborhood river lake mountain
        island islands district county province region parish township borough street road park bay peninsula
        valley settlement capital country state territory castle stream glacier hill peak volcano canyon beach
        bridge square airport stadium ghost-town census-designated-place locality forest desert""",
    "ORG": """company corporation firm manufacturer retailer airline bank newspaper magazine band group club team
        university college school organization organisation party association federation charity agency
        institute publisher label union museum hospital foundation society brand broadcaster network orchestra
        league brewery""",
    "": """film album song single episode series novel book game ship aircraft species genus language war battle
        treaty programme program opera play comic competition tournament season disease protein gene mineral
        locomotive car vehicle weapon missile award festival software website video soundtrack compilation drama
        sitcom musical concept theory method""",
}
_TYPES = {noun: label for label, nouns in _NOUNS.items() for noun in nouns.split()}
_CAPITALISED = """january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday"""
_SUBJECT = re.compile(
    r"(?:The )?(?P<name>[^\W\d_][^,(:;.\"]{1,60}?)(?: ?\([^)]*\)|, [^,]{1,60},)?"
    r" (?:is|was|are|were) (?:a|an|the|one of)\b(?P<rest>[^.]*)"
)
_SMALL = "a al and bin da de del der di do du e el ibn la le of the van von y zu".split
_END = re.compile(r"(?<=[^\W\d_]{3}[.!?])\s+(?=[A-Z\"])")
_WORD = word_tokenizer([]).pre_tokenizer


def main(argv: Sequence[str]) -> Path:
    """Finds the articles, labels their sentences and writes them; gives the file."""
    config = parse(Config, argv, "silver", "Labels sentences of an encyclopedia by itself.")
    if not config.text:
        raise TrainingError("--text needs a file")
    paths = [locate(name, config.data) for name in config.text]
    found: dict[str, list[tuple[str, str, list[str]]]] = {label: [] for label in _NOUNS}
    for path in paths:
        for paragraphs in tqdm(articles(path), unit="article", mininterval=5):
            if subject := subject_of(paragraphs[0]):
                name, label = subject
                if sentences := about(name, label, paragraphs):
                    found[label].append((name, label, sentences))
    chance = random.Random(config.seed)
    chosen = [
        one for few in found.values() for one in chance.sample(few, min(len(few), config.each))
    ]
    if not chosen:
        raise TrainingError("no article says in its first sentence what it is about")
    task = Ner(read(config.bundle.resolve()))
    texts = [text for _, _, sentences in chosen for text in sentences]
    subjects = [(name, label) for name, label, sentences in chosen for _ in sentences]
    answers = predict(task, texts, task.request(texts))
    lines = []
    for text, (name, label), answer in zip(texts, subjects, answers, strict=True):
        if rows := labelled(text, name, label, answer.entities, config.sure):
            lines.append("".join(f"{word}\t{tag}\n" for word, tag in rows) + "\n")
    config.out.parent.mkdir(parents=True, exist_ok=True)
    config.out.write_text("".join(lines), encoding="utf-8")
    tqdm.write(f"wrote {len(lines):,} sentences to {config.out}")
    return config.out


def articles(path: Path) -> Iterator[list[str]]:
    """The paragraphs of each article."""
    paragraphs: list[str] = []
    for line in read_texts(path):
        if line.strip():
            paragraphs.append(line.strip())
        elif paragraphs:
            yield paragraphs
            paragraphs = []
    if paragraphs:
        yield paragraphs


def subject_of(paragraph: str) -> tuple[str, str] | None:
    """What an article is about, and its type ("" for none of ours); None if it does not say.

    >>> subject_of("Anatole Taubman (born 1970) is a Swiss actor, who has appeared in many films.")
    ('Anatole Taubman', 'PER')
    """
    match = _SUBJECT.match(paragraph)
    if not match:
        return None
    name = match["name"].strip()
    words = name.split()
    if len(words) > 6 or not all(w[0].isupper() or w.lower() in _SMALL() for w in words):
        return None
    for noun in re.findall(r"[a-z-]+", match["rest"])[:12]:
        if noun in ("in", "of", "by", "for", "who", "which", "that", "from", "located"):
            break
        if noun in _TYPES:
            last = noun
            # "a football club", "a film director": the last noun before the next small word decides
            rest = match["rest"].split(noun, 1)[1].split()
            while rest and (following := rest[0].strip(",")) in _TYPES:
                last, rest = following, rest[1:]
            return name, _TYPES[last]
    return None


def about(name: str, label: str, paragraphs: Sequence[str]) -> list[str]:
    """The article's first sentence and at most two more that hold the name, for people also the last word."""
    sentences = [one for part in paragraphs[:6] for one in _END.split(part)]
    again = name.rsplit(maxsplit=1)[-1] if label == "PER" else name
    others = [one for one in sentences[1:] if re.search(rf"\b{re.escape(again)}\b", one)]
    return [one for one in [sentences[0], *others[:2]] if 30 < len(one) < 300]


def plain(word: str, labelled: bool) -> bool:
    """Whether a capital letter inside a sentence needs no further reason."""
    lower = word.lower()
    known = (
        lower in _CAPITALISED.split() or lower in DEMONYMS or lower.removesuffix("s") in DEMONYMS
    )
    return labelled or known or len(word) == 1


def labelled(
    text: str, name: str, label: str, entities: Sequence[Entity], sure: float
) -> list[tuple[str, str]]:
    """Words and tags of a sentence; [] where the tagger is unsure of a name that is not the subject, or left
    a word with a capital letter unlabelled that may be one."""
    words = [(word, start, end) for word, (start, end) in _WORD.pre_tokenize_str(text)]
    spans: list[Span] = []
    taken: set[int] = set()

    def take(start: int, end: int, kind: str) -> None:
        inside = [i for i, (_, first, last) in enumerate(words) if first < end and start < last]
        if inside and not taken & set(inside):
            taken.update(inside)
            if kind:
                spans.append((inside[0], inside[-1] + 1, kind))

    names = [name, name.rsplit(maxsplit=1)[-1]] if label == "PER" and " " in name else [name]
    for written in names:
        for match in re.finditer(rf"(?<!\w){re.escape(written)}(?!\w)", text):
            take(*match.span(), label)
    for entity in entities:
        place = range(entity.start, entity.end)
        own = any(words[i][1] in place for i in taken)
        if not own and entity.score < sure:
            return []
        if not own:
            take(entity.start, entity.end, entity.label)
    if any(
        word[0].isupper()
        for i, (word, _, _) in enumerate(words)
        if i and not plain(word, i in taken)
    ):
        return []
    tags = tags_of(sorted(spans), len(words))
    return [(word, tag) for (word, _, _), tag in zip(words, tags, strict=True)]
