"""Builds the tokenizers that travel in bundles as `tokenizer.json`.

Words for the tagger and the classifier, subwords for the translator. A tokenizer is made here once and only
loaded afterwards, so training and serving cannot differ.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from service.tasks.translate.normalization import ONE_FOR_ONE, READABLE
from service.tasks.translate.patterns import EMOJI
from service.tasks.translate.reading import SPECIAL

WORD_PAD, WORD_UNKNOWN = "<pad>", "<unk>"
SUBWORD_SPECIALS = ("<pad>", "<s>", "</s>")


_DIGIT = (r"\p{Nd}", "0")
_WEB = (
    (r"<br ?/?>", " "),
    (r"https?://\S+|www\.\S+", "http"),
    (r"(?<![\w@])@\w+", "@user"),
    (r"(?<=\p{Nd}{2})\p{Nd}|\p{Nd}(?=\p{Nd}{2})|(?<=\p{Nd})\p{Nd}(?=\p{Nd})", "0"),
    (
        r"(?i)\s?n['`]t\b|(?<=\bdo|\bdoes|\bdid|\bis|\bwas|\bwould|\bcould|\bshould|\bca|\bwo)nt\b",
        " not",
    ),
    (r"(?i)\bcannot\b", "can not"),
)
"""Line breaks of HTML, links, names of users, numbers of three digits or more (10/10 stays as it is), and the
short forms of "not", with or without apostrophe, or apart as in "do n't"."""


def word_tokenizer(words: Sequence[str], *, web: bool = False) -> Tokenizer:
    """Lower-cased words with every digit read as 0; each other sign is a token of its own.

    With `web`, for judging texts of the web: links and names of users are read alike, HTML's `<br />` as a
    space, numbers below 100 as they are, and "don't", "dont" and "do n't" as "do not".

    Offsets point into the text as written. Ids: 0 padding, 1 unknown, then `words` in order.
    """
    vocabulary = {WORD_PAD: 0, WORD_UNKNOWN: 1}
    for word in words:
        vocabulary.setdefault(word, len(vocabulary))
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=WORD_UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u2018\u2019\u02bc]"), "'"),
            normalizers.Replace(Regex("[\u201c\u201d\u00ab\u00bb]"), '"'),
            *(normalizers.Replace(Regex(sign), read) for sign, read in (_WEB if web else [_DIGIT])),
            normalizers.Lowercase(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]"), "removed", invert=True
    )
    return tokenizer


def words_of(texts: Iterable[str], *, web: bool = False) -> Iterator[list[str]]:
    """Each text as the list of words that `word_tokenizer` would look up."""
    tokenizer = word_tokenizer([], web=web)
    normalizer, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer
    for text in texts:
        yield [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))]


def word_counts(texts: Iterable[str], *, web: bool = False) -> dict[str, int]:
    """How often each word occurs, most frequent first (ties in alphabetical order)."""
    counts = Counter(word for words in words_of(texts, web=web) for word in words)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def alphabet(texts: Iterable[str]) -> set[str]:
    """The characters that a translator is to read: ASCII, and others that stand in one of 20,000 texts or more.

    What is always taken over (emoji) or read as something else (curly quotes) is none of them.
    """
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        counts.update(set(unicodedata.normalize("NFC", text).lower().translate(ONE_FOR_ONE)))
    usual = {c for c, count in counts.items() if count >= max(2, total / 20_000) and _readable(c)}
    return usual | set(map(chr, range(33, 127))) - set(string.ascii_uppercase) | set("“”–")


def _readable(character: str) -> bool:
    if character in READABLE or character in "·⋅\ufffd" or re.fullmatch(EMOJI, character):
        return False
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return unicodedata.name(character, "").startswith("LATIN")
    return kind[0] in "PS" or kind == "Nd"


def subword_tokenizer(texts: Iterable[str], *, size: int, known: Iterable[str]) -> Tokenizer:
    """Byte-pair encoding (Sennrich et al. 2016) of texts as a translator reads them (`Reader.read`).

    A word begins with the space before it. Digits and reserved characters stand alone. Ids: 0 padding, 1 start,
    2 end.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    reserved = f"[{SPECIAL}]"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(
            rf"▁?\p{{L}}+'(?=▁|{reserved})|▁?\p{{L}}+|'(?:s|t|re|ve|m|ll|d)(?!\p{{L}})|▁?\p{{N}}|{reserved}"
            rf"|▁?(?:(?!{reserved})[^▁\p{{L}}\p{{N}}])+|▁"
        ),
        "isolated",
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SUBWORD_SPECIALS),
        initial_alphabet=sorted({*known, *SPECIAL, "▁"}),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
