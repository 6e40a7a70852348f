"""Characters, read as one kind each and printed as the target language and the source have them."""

import re
import unicodedata

import pytest

from service.tasks.translate.normalization import Style, composed, normalized, printed
from service.tasks.translate.tracing import TracedText

CURLY = Style(curly=True, apostrophes=True)


def read(text: str, language: str = "en") -> str:
    return normalized(composed(TracedText(text)), language).text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It’s ‘so’, I`m 5′ tall", "It's 'so', I'm 5' tall"),
        ("“Stop!” „Halt‟", "“Stop!” “Halt”"),
        ("«Oui», « non », ‹ si ›", "“Oui”, “non”, “si”"),
        ("«\u00a0Oui\u202f»", "“Oui”"),
        ("a—b ― c − d – e", "a–b – c – d – e"),
        ("well\u2011known e\u2010mail", "well-known e-mail"),
        ("word -- word--word --- x", "word – word–word – x"),
        ("--help ---", "--help –"),
        ("wait… o\ufb03ce \ufb01nd", "wait... office find"),
        ("a\u00a0b\u202fc\u2009d\u3000e\tf\ng\r\nh", "a b c d e f g h"),
        ("a  b   c", "a b c"),
    ],
)
def test_characters_are_read_as_one_kind(text: str, plain: str) -> None:
    assert read(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("soft\u00adhyphen", "softhyphen"),
        ("a zero\u200bwidth word", "a zerowidth word"),
        ("\ufeffstart \u2060and\u200e marks\u200f", "start and marks"),
        ("\u202aleft\u202c", "left"),
        ("\u200d\ufe0fa", "a"),
        ("one\u200btwo", "one two"),  # where no space tells
        ("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3"),
    ],
)
def test_invisible_characters_do_not_break_words_and_bind_emoji(text: str, plain: str) -> None:
    assert composed(TracedText(text)).text == plain


@pytest.mark.parametrize("text", ["Été à Québec, ça va", "naïve Ñandú", "Ångström ǖ", "한국"])
def test_composed_and_decomposed_accents_are_read_alike(text: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    if text != "한국":  # whose letters are no accents, and are taken over as they are
        assert composed(TracedText(apart)).text == text
    assert composed(TracedText(text)).text == text


def test_an_accent_on_no_letter_stays() -> None:
    assert composed(TracedText("\u0301 _\u0301 b\u0327")).text == "\u0301 _\u0301 b\u0327"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('He said "stop".', "He said “stop”."),
        ('"A" and "B"', "“A” and “B”"),
        ('("so")', "(“so”)"),
        ('a"b"c', "a“b”c"),
        ('"', "“"),
        ('say "a', "say “a"),
        ('a" b', "a” b"),
        ('"a "b" c"', "“a “b” c”"),
        ('""', "“”"),
    ],
)
def test_a_straight_quote_opens_or_closes_by_the_spaces_around_it(text: str, plain: str) -> None:
    assert read(text) == plain


@pytest.mark.parametrize(
    ("french", "plain"),
    [
        ("Ça va ?", "Ça va?"),
        ("Oui\u00a0! Non\u202f; si : ça", "Oui! Non; si: ça"),
        ("« Quoi ?! », dit-il.", "“Quoi?!”, dit-il."),
        ("10 % de", "10% de"),
        ("l'ami, L'ami, qu'il", "l' ami, L' ami, qu' il"),
        ("aujourd'hui, jusqu'à, quelqu'un", "aujourd' hui, jusqu' à, quelqu' un"),
        ("l'« ami »", "l' “ami”"),
        ("l'\ue020", "l' \ue020"),
        ("grand'mère 'a' n'", "grand'mère 'a' n'"),
    ],
)
def test_french_spaces_and_elisions_are_read_and_printed(french: str, plain: str) -> None:
    assert read(french, "fr") == plain
    usual = french.replace("\u00a0", " ").replace("\u202f", " ")
    assert printed(TracedText(plain), "fr", Style()).text == usual


@pytest.mark.parametrize(
    "text", ["http: //", "a :b", "a ?b", "3 :4", ": a", "a , b", "le 5 :", "a %b"]
)
def test_only_a_space_before_a_mark_that_ends_something_is_taken_away(text: str) -> None:
    assert read(text, "fr") == re.sub(" :$", ":", text)


def test_english_keeps_spaces_and_apostrophes_as_they_are() -> None:
    assert read("l'ami ? it's 5 %", "en") == "l'ami ? it's 5 %"


@pytest.mark.parametrize(
    ("written", "language", "style", "text"),
    [
        ("It's “so”", "en", Style(), 'It\'s "so"'),
        ("It's “so”", "en", CURLY, "It’s “so”"),
        ("c' est “ça”", "fr", Style(), "c'est « ça »"),
        ("c' est “ça”", "fr", CURLY, "c’est « ça »"),
        (
            "it's 'so' ('a')",
            "en",
            Style(curly=True, apostrophes=True, single=True),
            "it’s ‘so’ (‘a’)",
        ),
        ("a – b", "en", Style(), "a – b"),
        ("a – b", "en", Style(em_dash=True), "a — b"),
        ("so...", "en", Style(), "so..."),
        ("so...", "en", Style(ellipsis=True), "so…"),
        ("vraiment?!", "fr", Style(), "vraiment ?!"),
        ("quoi…?", "fr", Style(), "quoi… ?"),
        ("à 5: 10%", "fr", Style(), "à 5 : 10 %"),
        ("a:b et 5:30", "fr", Style(), "a:b et 5:30"),
        ("\ue010%, \ue020!", "fr", Style(), "\ue010 %, \ue020 !"),
        ("why? 5%", "en", Style(), "why? 5%"),
        ("so ( it seems ) is it", "en", Style(), "so (it seems) is it"),
        ("sad :( today, f( x", "en", Style(), "sad :( today, f( x"),
    ],
)
def test_a_translation_is_printed_as_its_language_and_the_style_of_its_source(
    written: str, language: str, style: Style, text: str
) -> None:
    assert printed(TracedText(written), language, style).text == text


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("plain 'a' \"b\" -- ...", Style()),
        ("é – ß", Style()),
        ("it’s", CURLY),
        ("«a»", CURLY),
        ('it’s "a"', Style(apostrophes=True)),
        ("l'«a»", Style(curly=True)),
        ("‘a’", Style(curly=True, apostrophes=True, single=True)),
        ("a—b", Style(em_dash=True)),
        ("a…", Style(ellipsis=True)),
    ],
)
def test_the_style_of_a_text_is_told(text: str, style: Style) -> None:
    assert Style.of(text) == style
