"""Characters as the network reads them, and as a language prints them.

Read: one kind of space, apostrophe, double quote (opening and closing told apart) and dash; no invisible
characters; composed accents (NFC); no space before the punctuation of French. Printed: quotes, apostrophes, dashes
and spaces of the target language, curly or straight as in the source.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from service.tasks.translate.tracing import TracedText

SPACE_BEFORE_PUNCTUATION = {"fr"}
"""Languages that put a space before ? ! : ; % and inside quotes."""

SIGN_BEFORE_AMOUNT = {"en"}
"""Languages that write $5, not 5 $."""

ELIDING = {"fr", "it"}
"""Languages in which an apostrophe between letters parts two words."""

_SPACES = (
    "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\u00b4`"
_QUOTES = '"\u201c\u201d\u201e\u201f\u2033'
_DASHES = "\u2014\u2015\u2212"
_HYPHENS = "\u2010\u2011"

ONE_FOR_ONE = (
    {ord(c): ord(" ") for c in _SPACES}
    | {ord(c): ord("'") for c in _APOSTROPHES}
    | {ord(c): ord('"') for c in _QUOTES}
    | {ord(c): ord("–") for c in _DASHES}
    | {ord(c): ord("-") for c in _HYPHENS}
)
_OTHERS = {
    "\u2026": "...",
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
}

READABLE = "".join(map(chr, ONE_FOR_ONE)) + "".join(_OTHERS) + "«»‹›"
"""Characters that are read although the network never meets them."""

_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+"
    "|(?<![\u00a9\u00ae\u203c\u2049\u20e3\u2122\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])"
    "(?:[\u200d\ufe0e\ufe0f](?!\u20e3))+"  # which bind emoji
)
_ZERO_WIDTH_SPACE = re.compile("\u200b+")
_COMBINING = re.compile("[^\\W_][\u0300-\u036f]+|[\u212a\u212b]")
_OTHER = re.compile("[" + "".join(_OTHERS) + "]")
_LINES = re.compile(r"[ ]{2,}")
_ANGLES = re.compile(r"[«‹] *|(?<! ) +[»›]|[»›]")
_QUOTE = re.compile('"')
_BEFORE_PUNCTUATION = re.compile(r"(?<=\S) +(?=[?!;:%][?!]*(?:[\s.,)”]|$))")
_ELIDABLE = (
    r"(?<!\w)([^\W\d_]|[djlmn]?[eu]n|(?:jus|lors|puis|quoi|pres|quel)?qu|entr|aujourd"
    r"|(?:[dns]|de|a|su)?[ae]ll|quest|un)"
)
_NO_SPACE = re.compile(
    r"(?<=[\w)”%'…\ue000-\ue02f])(?=[?!;:][?!]*(?:[\s.,)”]|$))|(?<=[\d\ue010-\ue019])(?=%)"
)
_SINGLE_OPENING = re.compile(r"(?<![^\s(–“])'(?=\w)")
_INSIDE_QUOTES = re.compile(r"(?<=“) +|(?<! ) ++(?=”)")
_INSIDE_BRACKETS = re.compile(
    r"(?:(?<=\s\()|(?<=^\()) +(?=[^()]{1,200}\))|(?<! ) ++(?=\)(?:[\s.,;:!?]|$))"
)
_COMMA_WITHIN = re.compile(",”")
_AMOUNT = r"(?:[\ue010-\ue019]|\d++(?:[., ]\d++){0,6}+)"
_SIGN_BEFORE = re.compile(
    rf"(?<![\w$€\ue010-\ue019])(?<![\d\ue010-\ue019] )([$€]) ?({_AMOUNT})(?!\w)"
)
_SIGN_AFTER = re.compile(
    rf"(?<![\w.,$€\ue010-\ue019])(?<![$€] )({_AMOUNT}) ?([$€])(?! ?[\w\ue010-\ue019])"
)
_ENDING = re.compile(r"[!?]{2,}$")
_NO_MARK = re.compile(r"(?:(?<=[^\W_])|(?<=[\ue010-\ue02f]))\Z")
_OTHER_MARK = re.compile(r"(?:(?<=[^\W_])|(?<=[\ue010-\ue02f]))\.?\Z")
_FULL_STOP = re.compile(r"(?<=[^\W_]{3})\.\Z")
_LAST_MARK = re.compile(r"[!?]$")
_OPENING, _CLOSING, _DOTS = re.compile("“"), re.compile("”"), re.compile(r"\.\.\.")
_ELISION = re.compile(_ELIDABLE + r"'(?=[\w“\ue000-\ue02f])", re.IGNORECASE)
_ELIDED = re.compile("(?<!')" + _ELIDABLE + r"' (?=[\w“\ue000-\ue02f])", re.IGNORECASE)


def composed(text: TracedText) -> TracedText:
    """A text without invisible characters, its accents composed with their letters."""
    plain = text.text
    if plain.isascii():
        return text
    if "\u200b" in plain and " " not in plain.strip():  # the only sign of where words end
        text = text.sub(_ZERO_WIDTH_SPACE, " ")
    text = text.sub(_INVISIBLE, "")
    if not unicodedata.is_normalized("NFC", text.text):
        text = text.sub(_COMBINING, lambda match: unicodedata.normalize("NFC", match[0]))
    return text


def normalized(text: TracedText, language: str) -> TracedText:
    """A composed sentence with the characters that the network knows, one space between words."""
    if not text.text.isascii():
        text = text.sub(_OTHER, lambda match: _OTHERS[match[0]])
    text = text.translate(ONE_FOR_ONE)
    text = text.sub(_ANGLES, lambda match: "“" if match[0][0] in "«‹" else "”")
    text = text.sub(_QUOTE, _directed(text.text))
    if "--" in text.text:
        text = text.sub(re.compile(r"(?<![-\w])-{2,3}(?![-\w])|(?<=\w)--(?=\w)"), "–")
    if language in SPACE_BEFORE_PUNCTUATION:
        text = text.sub(_BEFORE_PUNCTUATION, "")
    if language in ELIDING:
        text = text.sub(_ELISION, lambda match: f"{match[1]}' ")
    return text.sub(_LINES, " ")


def _directed(text: str) -> Callable[[re.Match[str]], str]:
    """Whether a straight double quote opens or closes, by the spaces around it; else by turns."""
    inside = False

    def directed(match: re.Match[str]) -> str:
        nonlocal inside
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        opens = not before or before in " ([{–-'“"
        closes = not after or after in " .,;:?!)]}–-'”"
        inside = opens if opens != closes else not inside
        return "“" if inside else "”"

    return directed


@dataclass(frozen=True, slots=True)
class Style:
    """How a text writes what languages and people write in several ways."""

    curly: bool = False
    """Quotes."""
    apostrophes: bool = False
    """Curly ones."""
    single: bool = False
    """Quotes that are single ones."""
    em_dash: bool = False
    ellipsis: bool = False
    """As one character."""
    ending: str = ""
    """More than one mark at the end of a sentence, as in `What?!`; the network reads the first question mark, or
    the first mark."""

    @classmethod
    def of(cls, text: str) -> "Style":
        marks = _ENDING.search(text)
        ending = marks[0] if marks else ""
        if text.isascii():
            return cls(ending=ending) if ending else _PLAIN
        quoted = any(c in text for c in "‘“”«„")
        return cls(
            curly=quoted or ("’" in text and '"' not in text),
            apostrophes="’" in text or (quoted and "'" not in text),
            single="‘" in text,
            em_dash="—" in text,
            ellipsis="…" in text,
            ending=ending,
        )


_PLAIN = Style()


def printed(text: TracedText, language: str, style: Style) -> TracedText:
    """A translation as the network writes it, in the characters of its language."""
    if language in ELIDING:
        text = text.sub(_ELIDED, lambda match: f"{match[1]}'")
    text = text.sub(_INSIDE_QUOTES, "").sub(_INSIDE_BRACKETS, "")
    if language in SIGN_BEFORE_AMOUNT:
        text = text.sub(_SIGN_AFTER, lambda match: f"{match[2]}{match[1]}")
    else:
        text = text.sub(_SIGN_BEFORE, lambda match: f"{match[2]} {match[1]}")
    if language in SPACE_BEFORE_PUNCTUATION:
        text = text.sub(_COMMA_WITHIN, "”,").sub(_NO_SPACE, " ")
        text = text.sub(_OPENING, "« ").sub(_CLOSING, " »")
    elif not style.curly:
        text = text.translate({ord("“"): ord('"'), ord("”"): ord('"')})
    if style.single:
        text = text.sub(_SINGLE_OPENING, "‘")
    if style.apostrophes:
        text = text.translate({ord("'"): ord("’")})
    if style.em_dash:
        text = text.translate({ord("–"): ord("—")})
    text = text.sub(_DOTS, "…") if style.ellipsis else text
    return text.sub(_LAST_MARK, style.ending) if style.ending else text


def with_final_mark(text: TracedText, source: str) -> TracedText:
    """A translation with the full stop or question mark of its source, both in the network's characters.

    >>> with_final_mark(TracedText("quelle heure est-il."), " what time is it?").text
    'quelle heure est-il?'
    >>> with_final_mark(TracedText("conditions de vente."), " terms of sale").text
    'conditions de vente'
    """
    mark = source.rstrip()[-1:]
    if mark in (".", "?") and not source.endswith((" .", "..")):
        return text.sub(_NO_MARK if mark == "." else _OTHER_MARK, mark)
    return text.sub(_FULL_STOP, "") if mark.isalnum() else text


def with_single_ending(text: TracedText) -> TracedText:
    """A sentence with one mark in place of several at its end."""
    return text.sub(_ENDING, lambda match: "?" if "?" in match[0] else "!")
