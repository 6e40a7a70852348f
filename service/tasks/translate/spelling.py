"""What a translator's network cannot spell, put so that it can: capitals, missing accents, and addresses.

A sentence in capitals is read as one would usually write it, and its translation is written in capitals. One
without any accent gets those that can be told. An address is read as a short name that the network is known to
copy, its stand-in, which gives way to it again.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence

from tokenizers import Tokenizer

from service.tasks.text import Span

ACCENTED = {"fr"}
"""Languages that are often typed without their accents."""

# fmt: off
_ENDINGS = [  # none that is a word, which may follow a full stop without a space
    "com", "org", "net", "edu", "gov", "io", "eu", "fr", "ch", "uk",
    "pdf", "docx?", "xlsx?", "pptx?", "odt", "txt", "csv", "json", "xml", "html?", "zip", "gz", "png", "jpe?g",
    "gif", "svg", "mp[34]", "py",
]
# fmt: on
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S*[\w/]"  # the mark after a link ends the sentence
    r"|(?<![\w.+-])[\w.+-]+@\w[\w-]*(?:\.[\w-]+)+"
    r"|(?<![\w@#&])[@#]\w*[^\W\d]\w*"
    rf"|(?<![\w.@/-])[\w-]+(?:\.[\w-]+)*\.(?:{'|'.join(_ENDINGS)})(?![\w-]|\.\w)(?:/\S*[\w/])?",
    re.IGNORECASE,
)
_HINT = re.compile(r"[@#/]|\.\S")
"""Something of it is in every address; few texts have any, and to look for this is twenty times as fast."""

_WORD = re.compile(r"[^\W\d_]+")
_ADDRESS_OR_WORD = re.compile(f"(?P<address>{_ADDRESS.pattern})|{_WORD.pattern}", re.IGNORECASE)


def addresses(text: str) -> list[Span]:
    """Links, e-mail addresses, @names, #tags, and names of sites and files, as (start, end).

    >>> addresses("Ask tom@example.org."), addresses("Ask Tom.")
    ([(4, 19)], [])
    """
    return [match.span() for match in _ADDRESS.finditer(text)] if _HINT.search(text) else []


def without_addresses(text: str) -> str:
    """With a space in place of each."""
    return _ADDRESS.sub(" ", text) if _HINT.search(text) else text


def in_capitals(text: str) -> bool:
    """Whether a sentence is written in capitals, addresses aside, and is more than a name or an abbreviation.

    >>> [in_capitals(text) for text in ("WHERE IS IT?", "STOP!", "NATO", "In the USA")]
    [True, True, False, False]
    """
    words = _WORD.findall(without_addresses(text))
    letters = "".join(words)
    called = text.endswith(("!", "?"))
    enough = len(letters) >= 6 if len(words) > 1 else called and len(letters) >= 4
    return enough and letters.isupper()


def in_sentence_case(text: str, language: str, subwords: Callable[[str], int]) -> str:
    """A text in capitals as one would usually write it, character for character; addresses stay.

    subwords: how many subwords a word has. Of a word in small letters, with a capital and as it stands, the
    form with the fewest is taken: subwords are learnt from text, so names are whole with their capital.
    """

    def written(match: re.Match[str]) -> str:
        word = match[0]
        if match["address"] or (word == "I" and language == "en"):
            return word
        small = "".join(c.lower() if len(c.lower()) == 1 else c for c in word)
        return min((small, word[0] + small[1:], word), key=subwords)

    cased = _ADDRESS_OR_WORD.sub(written, text)
    first = next((match.start() for match in _WORD.finditer(text)), 0)
    return cased[:first] + text[first : first + 1] + cased[first + 1 :]


def without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def accented_words(tokenizer: Tokenizer) -> dict[str, str]:
    """By its plain spelling, each accented word that is one subword, unless the plain one is a word as well."""
    vocabulary = tokenizer.get_vocab()
    words: dict[str, str] = {}
    for token in sorted(vocabulary, key=vocabulary.__getitem__):  # the most frequent first
        word = tokenizer.decode([vocabulary[token]]).strip()
        plain = without_accents(word)
        if token.startswith("Ġ") and plain.isascii() and plain.isalpha() and plain != word:
            words.setdefault(plain, word)
    return {plain: word for plain, word in words.items() if f"Ġ{plain}" not in vocabulary}


def with_accents(text: str, words: Mapping[str, str]) -> str:
    """A text without any accent with those of `words`, character for character; addresses and others stay.

    >>> with_accents("Tres bien, mais non très.", {"tres": "très"})
    'Tres bien, mais non très.'
    >>> with_accents("Tres bien, tres@example.org.", {"tres": "très"})
    'Très bien, tres@example.org.'
    """

    def written(match: re.Match[str]) -> str:
        word = match[0]
        if match["address"]:
            return word
        found = words.get(word) or words.get(word[0].lower() + word[1:], word)
        return found[0].upper() + found[1:] if word[0].isupper() else found

    return _ADDRESS_OR_WORD.sub(written, text) if words and text.isascii() else text


def with_stand_ins(text: str, stand_ins: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The text with stand-ins in place of its addresses, and the address that each stands for.

    A stand-in that the text itself has is left out; where there are fewer than addresses, the last of these stay.

    >>> with_stand_ins("Tom is at tom@example.org.", ["Tom", "Paul"])
    ('Tom is at Paul.', {'Paul': 'tom@example.org'})
    """
    if not addresses(text):
        return text, {}
    free = iter([one for one in stand_ins if one.casefold() not in text.casefold()])
    standing: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        stand_in = next(free, None)
        if stand_in is None:
            return match[0]
        standing[stand_in] = match[0]
        return stand_in

    return _ADDRESS.sub(replaced, text), standing


def holds(translation: str, stand_ins: Collection[str]) -> bool:
    """Whether each stand-in is there once, as a word of its own."""
    return all(len(_standing(one).findall(translation)) == 1 for one in stand_ins)


def put_back(translation: str, standing: Mapping[str, str]) -> str:
    """The translation with the addresses in place of their stand-ins."""
    for stand_in, address in standing.items():
        translation = address.join(_standing(stand_in).split(translation))
    return translation


def _standing(stand_in: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(stand_in)}(?!\w)", re.IGNORECASE)
