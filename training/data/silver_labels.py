"""Silver labels: sentences of an encyclopedia, labelled without people, so that a tagger learns more names.

An article says in its first sentence what it is about: `Anatole Taubman (born 1970) is a Swiss actor`. The noun
gives the type of the name, here and wherever the article uses it again; the name of a film or a ship is none of
our types. All other names in these sentences are labelled by an earlier tagger; a sentence with one of which that
tagger is unsure is left out. Silver labels are for training, never for scores.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.tasks.ner.messages import Entity
from training.data.corpora import read_texts
from training.data.guidelines import DEMONYMS, Span, tags_of
from training.data.tokenization import word_tokenizer

NOUNS = {
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
"""Nouns that tell the type of what an article is about; "" is none of ours."""
_TYPES = {noun: label for label, nouns in NOUNS.items() for noun in nouns.split()}
_MONTHS = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_CALENDAR = frozenset([*_MONTHS.split(), *_DAYS.split()])
_SUBJECT = re.compile(
    r"(?:The )?(?P<name>[^\W\d_][^,(:;.\"]{1,60}?)(?: ?\([^)]*\)|, [^,]{1,60},)?"
    r" (?:is|was|are|were) (?:a|an|the|one of)\b(?P<rest>[^.]*)"
)
_LOWER_CASE = "a al and bin da de del der di do du e el ibn la le of the van von y zu"
_PARTICLES = frozenset(_LOWER_CASE.split())
"""Words in lower case inside a name."""
_SENTENCE_END = re.compile(r"(?<=[^\W\d_]{3}[.!?])\s+(?=[A-Z\"])")
_WORD = word_tokenizer([]).pre_tokenizer


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
    if len(words) > 6 or not all(w[0].isupper() or w.lower() in _PARTICLES for w in words):
        return None
    for noun in re.findall(r"[a-z-]+", match["rest"])[:12]:
        if noun in ("in", "of", "by", "for", "who", "which", "that", "from", "located"):
            break
        if noun in _TYPES:
            last = noun
            # "a football club", "a film director": the last noun before the next other word decides
            rest = match["rest"].split(noun, 1)[1].split()
            while rest and (following := rest[0].strip(",")) in _TYPES:
                last, rest = following, rest[1:]
            return name, _TYPES[last]
    return None


def sentences_about(name: str, label: str, paragraphs: Sequence[str]) -> list[str]:
    """The article's first sentence and at most two more that hold the name, for people also the last word."""
    sentences = [one for part in paragraphs[:6] for one in _SENTENCE_END.split(part)]
    again = name.rsplit(maxsplit=1)[-1] if label == "PER" else name
    others = [one for one in sentences[1:] if re.search(rf"\b{re.escape(again)}\b", one)]
    return [one for one in [sentences[0], *others[:2]] if 30 < len(one) < 300]


def needs_no_label(word: str, labelled: bool) -> bool:
    """Whether a capitalised word inside a sentence is explained: by its label, or as no name."""
    lower = word.lower()
    known = lower in _CALENDAR or lower in DEMONYMS or lower.removesuffix("s") in DEMONYMS
    return labelled or known or len(word) == 1


def label_sentence(
    text: str, name: str, label: str, entities: Sequence[Entity], sure: float
) -> list[tuple[str, str]]:
    """Words and tags of a sentence about `name`, which is a `label`.

    [] if the tagger is less than `sure` of another name, or left a capitalised word unlabelled that may be one.
    """
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
        if i and not needs_no_label(word, i in taken)
    ):
        return []
    tags = tags_of(sorted(spans), len(words))
    return [(word, tag) for (word, _, _), tag in zip(words, tags, strict=True)]
