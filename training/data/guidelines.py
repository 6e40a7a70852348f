"""Reconciles the annotation guidelines of corpora of names, so that together they teach the same thing.

Corpora disagree on what a name is and where it ends. A recipe names, for each corpus, the rules that bring its
labels to ours; `RULES` holds them all. A rule changes tags and, if it must, removes words; it adds nothing and
never moves a name. `trimmed` removes punctuation from the ends of a name in every corpus.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.data.corpora import Tagged, read_conll
from training.errors import TrainingError

_TITLES = """
    ambassador archbishop attorney ayatollah baron baroness bishop brigadier cabinet captain cardinal chairman
    chairwoman chancellor chief cllr coach col col. colonel commander congressman congresswoman constable
    councillor count countess dame deacon defence defense deputy detective director doctor dr dr. duchess duke
    emir emperor envoy father finance foreign former gen gen. general gov gov. governor imam interim interior
    judge justice king lieutenant lieutenant-general lord lt lt. madam major major-general mayor minister
    mr mr. mrs mrs. ms ms. mullah officer pastor pope premier president president-elect prime prince princess
    prof prof. professor prophet queen rabbi rep rep. representative rev rev. reverend secretary
    secretary-general sen sen. senator sergeant sgt sgt. sheik sheikh sheriff sir sister speaker special spokesman
    spokeswoman state superintendent sultan us u.s. vice
"""
TITLES = frozenset(_TITLES.split())
"""Words before a person's name that are no part of it. Some only stand there before others, as `state`."""

_DEMONYMS = """
    afghan african albanian algerian american arab argentine argentinian armenian asian australian austrian
    azerbaijani bahraini bangladeshi belarusian belgian bolivian bosnian brazilian british briton bulgarian
    burmese cambodian cameroonian canadian caribbean catalan chechen chilean chinese colombian congolese croatian
    cuban cypriot czech danish dane dutch ecuadorian egyptian english eritrean estonian ethiopian european
    fijian filipino finnish french georgian german ghanaian greek guatemalan haitian hawaiian hungarian
    icelandic indian indonesian iranian iraqi irish israeli italian ivorian jamaican japanese jewish jordanian
    kashmiri kazakh kenyan korean kurd kurdish kuwaiti kyrgyz lebanese liberian libyan lithuanian macedonian
    malaysian maltese maori mexican moldovan mongolian moroccan nepalese nepali nicaraguan nigerian norwegian
    pakistani palestinian peruvian polish portuguese qatari romanian russian rwandan saudi scot scottish
    senegalese serb serbian singaporean slovak slovenian somali spaniard spanish sri-lankan sudanese swede
    swedish swiss syrian taiwanese tanzanian thai tibetan tunisian turk turkish ugandan ukrainian uruguayan uzbek
    venezuelan vietnamese welsh yemeni yugoslav zambian zimbabwean
"""
DEMONYMS = frozenset(_DEMONYMS.split())
"""Words for people and things of a place, in the singular."""

_SHORTENED = "ave bros calif co conn corp dept ill inc jr la ltd md no ph sr st univ va wa"
SHORTENED = frozenset(_SHORTENED.split())
"""Words that keep a full stop at the end of a name; single letters do too."""

_PRONOUNS = "he him it she that their them they this us we who you your"
PRONOUNS = frozenset(_PRONOUNS.split())

Span = tuple[int, int, str]
"""First token, the one after the last, label."""
Rule = Callable[[Sequence[Tagged]], list[Tagged]]


def read(
    path: Path,
    labels: Mapping[str, str],
    *,
    guidelines: Mapping[str, str],
    annotated: Mapping[str, str],
) -> Iterator[Tagged]:
    """Sentences as `read_conll` gives them, after the rules of every entry of `guidelines` (part of a path ->
    names of rules) whose part the path contains; with the labels of the first such entry of `annotated`.

    Raises TrainingError for an unknown rule, and for an entity of a label that is not annotated.
    """
    sentences: Sequence[Tagged] = list(read_conll(path, labels))
    for part, names in guidelines.items():
        for name in names.split():
            if name not in RULES:
                raise TrainingError(f"guidelines: no rule {name!r}; there are {', '.join(RULES)}")
            if part in path.as_posix():
                sentences = RULES[name](sentences)
    listed = next((names for part, names in annotated.items() if part in path.as_posix()), None)
    if listed is None:
        yield from sentences
        return
    known = frozenset(listed.split())
    for sentence in sentences:
        if strange := {label for _, _, label in spans_of(sentence.tags)} - known:
            raise TrainingError(f"{path}: annotated with {listed}, but has {', '.join(strange)}")
        yield replace(sentence, annotated=known)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """
    >>> spans_of(["O", "B-PER", "I-PER", "B-LOC"])
    [(1, 3, 'PER'), (3, 4, 'LOC')]
    """
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        if tag.startswith("B-"):
            spans.append((place, place + 1, tag[2:]))
        elif tag.startswith("I-"):
            spans[-1] = (spans[-1][0], place + 1, spans[-1][2])
    return spans


def tags_of(spans: Sequence[Span], length: int) -> tuple[str, ...]:
    """
    >>> tags_of([(1, 3, "PER")], 3)
    ('O', 'B-PER', 'I-PER')
    """
    tags = ["O"] * length
    for first, end, label in spans:
        tags[first:end] = [f"B-{label}", *[f"I-{label}"] * (end - first - 1)]
    return tuple(tags)


def mentions(sentences: Sequence[Tagged]) -> list[Tagged]:
    """A sign @ in front of a name is no part of it, nor a name by itself: of `@ SpaceX` only `SpaceX`."""
    return _each_span(
        sentences,
        lambda tokens, span: _from(span, 1) if tokens[span[0]] == "@" else span,
    )


def no_mentions(sentences: Sequence[Tagged]) -> list[Tagged]:
    """Takes `@name` out of the sentences of a corpus that leaves it unlabelled, so that it teaches nothing."""
    kept = []
    for sentence in sentences:
        pairs = [
            pair
            for pair in zip(sentence.tokens, sentence.tags, strict=True)
            if not re.match(r"@\w", pair[0]) or pair[1] != "O"
        ]
        if pairs:
            tokens, tags = zip(*pairs, strict=True)
            kept.append(replace(sentence, tokens=tokens, tags=tags))
    return kept


def titles(sentences: Sequence[Tagged]) -> list[Tagged]:
    """A person's title is no part of the name (of Prime Minister Meles only Meles); a title alone is none."""

    def bare(tokens: Sequence[str], span: Span) -> Span:
        while span[2] == "PER" and span[0] < span[1] and tokens[span[0]].lower() in TITLES:
            span = _from(span, 1)
            if span[0] < span[1] and tokens[span[0]] == ".":
                span = _from(span, 1)
        return span

    return _each_span(sentences, bare)


def possessives(sentences: Sequence[Tagged]) -> list[Tagged]:
    """A final 's is no part of a name, where it is a token of its own."""

    def bare(tokens: Sequence[str], span: Span) -> Span:
        owned = tokens[span[1] - 1].lower() in ("'s", "’s", "'", "’")
        return (span[0], span[1] - 1, span[2]) if owned else span

    return _each_span(sentences, bare)


def demonyms(sentences: Sequence[Tagged]) -> list[Tagged]:
    """What is of a place is no place: Russian and the Kenyans are no names."""

    def kept(tokens: Sequence[str], span: Span) -> Span:
        word = tokens[span[0]].lower().lstrip("#")
        of_place = word in DEMONYMS or word.removesuffix("s") in DEMONYMS
        return _from(span, 1) if span[2] == "LOC" and of_place and span[1] - span[0] == 1 else span

    return _each_span(sentences, kept)


def pronouns(sentences: Sequence[Tagged]) -> list[Tagged]:
    """Words like `they`, labelled as the group they stand for, are no names."""

    def kept(tokens: Sequence[str], span: Span) -> Span:
        alone = span[1] - span[0] == 1 and tokens[span[0]] in PRONOUNS
        return _from(span, 1) if alone else span

    return _each_span(sentences, kept)


def places(sentences: Sequence[Tagged]) -> list[Tagged]:
    """For a corpus with LOC, ORG and GPE (countries and demonyms in one).

    A GPE that this corpus also calls LOC, once in seven times or more, is a LOC, else a demonym and no name.
    An ORG that it calls LOC more often than ORG is a country that acts, and a LOC.
    """
    counts = Counter(
        (tuple(sentence.tokens[first:end]), label)
        for sentence in sentences
        for first, end, label in spans_of(sentence.tags)
    )

    def decided(tokens: Sequence[str], span: Span) -> Span:
        name = tuple(tokens[span[0] : span[1]])
        as_place = counts[name, "LOC"]
        if span[2] == "GPE":
            place = name[0].lower() not in DEMONYMS and 7 * as_place >= counts[name, "GPE"]
            return (span[0], span[1], "LOC") if place else (span[0], span[0], "")
        if span[2] == "ORG" and as_place > counts[name, "ORG"]:
            return span[0], span[1], "LOC"
        return span

    return _each_span(sentences, decided)


RULES: dict[str, Rule] = {
    "mentions": mentions,
    "no_mentions": no_mentions,
    "titles": titles,
    "possessives": possessives,
    "demonyms": demonyms,
    "pronouns": pronouns,
    "places": places,
}


def described(guidelines: Mapping[str, str]) -> list[str]:
    """The rules in use as lines of a Markdown table: each with its corpora and what it says."""
    users: dict[str, list[str]] = {}
    for part, names in guidelines.items():
        for name in names.split():
            users.setdefault(name, []).append(part)
    return [
        "| rule | corpora | what it says |",
        "|---|---|---|",
        *(
            f"| {name} | {', '.join(parts)} | {' '.join((RULES[name].__doc__ or '').split())} |"
            for name, parts in users.items()
        ),
        f"| trimmed | all, in training | {' '.join((trimmed.__doc__ or '').split('>>>')[0].split())} |",
    ]


def trimmed(words: Sequence[str], first: int, end: int) -> tuple[int, int]:
    """A span of words without the signs at its ends that are no part of a name, nor a fused possessive.

    Kept are the full stop of `U.S.` or `Inc.` and a bracket that closes one inside.

    >>> trimmed(["#", "Kiev", "'", "s"], 0, 4)
    (1, 2)
    >>> trimmed(["U", ".", "S", "."], 0, 4)
    (0, 4)
    """
    while first < end and not _written(words[first]):
        first += 1
    while first < end:
        last = words[end - 1]
        before = words[end - 2].lower() if end - 2 >= first else ""
        stop = last == "." and (len(before) == 1 or before in SHORTENED)
        closing = last == ")" and "(" in words[first:end]
        if last.lower() == "s" and before in ("'", "’") and end - 2 > first:
            end -= 2
        elif _written(last) or stop or closing:
            break
        else:
            end -= 1
    return first, end


def _written(word: str) -> bool:
    return any(character.isalnum() for character in word)


def _from(span: Span, later: int) -> Span:
    return span[0] + later, span[1], span[2]


def _each_span(
    sentences: Sequence[Tagged], change: Callable[[Sequence[str], Span], Span]
) -> list[Tagged]:
    """The sentences with each span changed; one that has become empty is gone."""
    changed = []
    for sentence in sentences:
        spans = [change(sentence.tokens, span) for span in spans_of(sentence.tags)]
        kept = [span for span in spans if span[0] < span[1]]
        changed.append(replace(sentence, tags=tags_of(kept, len(sentence.tokens))))
    return changed
