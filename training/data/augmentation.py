"""Augments the training pairs of a translator with what must pass unchanged, and with careless spelling.

Corpora hold few addresses, emoji, capitals or names that are seen once; users type them. An augmented pair stays a
translation: what is inserted or changed is the same on both sides, or is an error in the source alone.
"""

import random
import re
import string
from collections.abc import Callable, Sequence

from service.tasks.spelling import without_accents
from training.data.corpora import Pair

NAME = re.compile(r"(?<![\w'’-])[A-ZÀÉÈÊÎÔÛÇ][a-zà-ÿ]{2,}(?![\w'’-])")
NUMBER = re.compile(r"(?<![\d.,])\d+(?![\d.,]*\d)")
# fmt: off
ONSETS = [
    "b", "c", "ch", "d", "f", "g", "h", "j", "k", "kh", "l", "m", "n", "p", "r",
    "s", "sh", "t", "th", "v", "w", "y", "z", "br", "dr", "kr", "mb", "nk", "st", "tr",
]
# fmt: on
VOWELS = ["a", "e", "i", "o", "u", "ai", "ei", "ou"]
CODAS = ["", "", "", "n", "r", "s", "l", "k", "m", "ng"]
ENDINGS = ["com", "org", "net", "fr", "ca", "co.uk", "eu", "io"]
# fmt: off
EMOJI = [
    "😀", "😂", "😅", "😉", "😍", "😎", "😢", "😭", "😡", "👍", "👏", "🙏", "💪", "🎉", "🔥",
    "❤️", "💙", "✨", "🚀", "☀️", "🌍", "🍕", "☕", "🐶", "✅", "⚠️", "👨‍👩‍👧", "🏳️‍🌈", "🇫🇷", "🇨🇦",
]
# fmt: on
MARKS = ["- ", "– ", "• ", "* ", "{}. ", "{}) ", "({}) ", "> ", "« ", '"']
CLOSING = {"« ": " »", '"': '"'}


def augment(pairs: Sequence[Pair], share: float, seed: int) -> list[Pair]:
    """The pairs (source first), about a `share` of them augmented; the same seed gives the same."""
    chance = random.Random(f"{seed} variants")
    names = sorted({name for pair in pairs[::10] for name in _shared(NAME, pair)})
    ways: dict[Callable[[Pair], Pair], int] = {
        lambda pair: _renamed(pair, names, chance): 35,
        lambda pair: _renumbered(pair, chance): 15,
        lambda pair: _appended(pair, chance): 15,
        lambda pair: Pair(pair.text.upper(), pair.other.upper()): 8,
        lambda pair: Pair(without_accents(pair.text), pair.other): 6,
        lambda pair: Pair(pair.text.lower().rstrip(".!?… "), pair.other): 6,
        lambda pair: _marked(pair, chance): 5,
        lambda pair: Pair(pair.other, pair.other): 3,  # it is in the target language already
        lambda pair: _alone(names, chance): 7,
    }
    drawn = iter(chance.choices(list(ways), list(ways.values()), k=len(pairs)))
    return [
        way(pair) if chance.random() < share else pair
        for pair, way in zip(pairs, drawn, strict=True)
    ]


def _shared(pattern: re.Pattern[str], pair: Pair) -> list[str]:
    """What is found in both sides alike, in the order of the source."""
    other = set(pattern.findall(pair.other))
    return [found for found in dict.fromkeys(pattern.findall(pair.text)) if found in other]


def _replaced(pair: Pair, pattern: re.Pattern[str], new: Callable[[str], str]) -> Pair:
    names = {found: new(found) for found in _shared(pattern, pair)}

    def turned(text: str) -> str:
        return pattern.sub(lambda match: names.get(match[0], match[0]), text)

    return Pair(turned(pair.text), turned(pair.other))


def _renamed(pair: Pair, names: Sequence[str], chance: random.Random) -> Pair:
    return _replaced(pair, NAME, lambda _: _name(names, chance))


def _renumbered(pair: Pair, chance: random.Random) -> Pair:
    return _replaced(pair, NUMBER, lambda old: "".join(chance.choice("123456789") for _ in old))


def _name(names: Sequence[str], chance: random.Random) -> str:
    return chance.choice(names) if names and chance.random() < 0.5 else _word(chance).title()


def _word(chance: random.Random) -> str:
    """A word that no dictionary has."""
    return "".join(
        chance.choice(ONSETS) + chance.choice(VOWELS) + chance.choice(CODAS)
        for _ in range(chance.choice([1, 2, 2, 3]))
    )


def _verbatim(chance: random.Random) -> str:
    """Something that is the same in every language."""
    word, other, ending = _word(chance), _word(chance), chance.choice(ENDINGS)
    number = "".join(chance.choices(string.digits, k=chance.randint(1, 6)))
    return chance.choice(
        [
            f"https://www.{word}.{ending}/{other}",
            f"https://{word}.{ending}/{other}/{number}?{word[:2]}={number}",
            f"www.{word}{other}.{ending}",
            f"{word}.{other}@{other}.{ending}",
            f"{word}{number}@{other}{word}.{ending}",
            f"@{word}{chance.choice(['', '_', number])}",
            f"#{word.title()}{other.title()}",
            f"{word[:3].upper()}-{number}",
            number,
            " ".join(chance.choices(EMOJI, k=chance.choice([1, 1, 1, 2, 3]))),
            "".join(chance.choices(EMOJI, k=chance.choice([1, 1, 2]))),
        ]
    )


def _appended(pair: Pair, chance: random.Random) -> Pair:
    end = " " + _verbatim(chance)
    return Pair(pair.text + end, pair.other + end)


def _marked(pair: Pair, chance: random.Random) -> Pair:
    mark = chance.choice(MARKS)
    begin, end = mark.format(chance.randint(1, 20)), CLOSING.get(mark, "")
    return Pair(begin + pair.text + end, begin + pair.other + end)


def _alone(names: Sequence[str], chance: random.Random) -> Pair:
    """No sentence at all: an address, a name or two, or letters without sense."""
    letters = "".join(chance.choices(string.ascii_lowercase, k=chance.randint(4, 12)))
    name = " ".join(_name(names, chance) for _ in range(chance.choice([1, 2])))
    text = chance.choice([_verbatim(chance), _verbatim(chance), name, name, letters])
    return Pair(text, text)
