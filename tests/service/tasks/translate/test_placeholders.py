"""What no network spells is found, gives way to reserved characters, and takes its place again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.tasks.translate.placeholders import (
    NUMBERS,
    RESERVED,
    VERBATIM,
    Finder,
    Item,
    kept,
    matched,
    put_back,
    replaced,
)
from service.tasks.translate.reading import Reader
from service.tasks.translate.tracing import TracedText

from .alphabet import KNOWN

ENGLISH = Reader("en", "fr", KNOWN).finder
FRENCH = Reader("fr", "en", KNOWN).finder


def found(text: str, finder: Finder = ENGLISH) -> list[str]:
    return [text[start:end] for (start, end), _ in finder.find(text)]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        # addresses
        ("See https://example.org/a?b=1.", ["https://example.org/a?b=1"]),
        ("(http://localhost:8000/docs), then", ["http://localhost:8000/docs"]),
        ("www.example.org/path/ and example.com", ["www.example.org/path/", "example.com"]),
        ("from a.b-c+d@mail.example.co.uk!", ["a.b-c+d@mail.example.co.uk"]),
        ("mailto:ann@example.org", ["mailto:ann@example.org"]),
        ("@sam_lee and #GoodNews2", ["@sam_lee", "#GoodNews2"]),
        ("install @scope/package", ["@scope/package"]),
        ("Open src/conf.d/a.toml, then docs/x.md.", ["src/conf.d/a.toml", "docs/x.md"]),
        (
            "192.168.0.1, 127.0.0.1:8080, 10.0.0.0/8",
            ["192.168.0.1", "127.0.0.1:8080", "10.0.0.0/8"],
        ),
        # files and paths
        ("report_v3.pdf, Node.js", ["report_v3.pdf", "Node.js"]),
        ("in /etc/nginx/nginx.conf, ~/x and ../y.", ["/etc/nginx/nginx.conf", "~/x", "../y"]),
        (r"Open C:\Users\ann\a.txt and save it", [r"C:\Users\ann\a.txt"]),
        (r"C:\Program Files\App\run.exe runs", [r"C:\Program Files\App\run.exe"]),
        (r"on \\server\share now", [r"\\server\share"]),
        # code
        ("call `x = y + 1` here", ["`x = y + 1`"]),
        (
            "use foo_bar, fooBar, foo.bar() and color.ui",
            ["foo_bar", "fooBar", "foo.bar()", "color.ui"],
        ),
        ("with --dry-run, -v or --name=x", ["--dry-run", "-v", "--name=x"]),
        ("press Ctrl+Alt+Del", ["Ctrl+Alt+Del"]),
        ("Contents .......... 5, but ... or ???", [".........."]),
        ("What ???? No !!!!! Yes", ["????", "!!!!!"]),
        ("set $HOME, %PATH% and $(pwd)", ["$HOME", "%PATH%", "$(pwd)"]),
        ("error 0x80070005", ["0x80070005"]),
        ("id 123e4567-e89b-12d3-a456-426614174000", ["123e4567-e89b-12d3-a456-426614174000"]),
        ("commit 5f3a9c1e", ["5f3a9c1e"]),
        # placeholders of programs
        ("Hello {name}!", ["{name}"]),
        ("{{ x }} and {% if y %} and ${X}", ["{{ x }}", "{% if y %}", "${X}"]),
        ("%s, %1$s, %d, %.2f and %(x)s", ["%s", "%1$s", "%d", "%.2f", "%(x)s"]),
        ("100 files of %d", ["%d"]),
        ("[FILE_NAME] and [1]", ["[FILE_NAME]", "[1]"]),
        ("[[user]] and :user_name", ["[[user]]", ":user_name"]),
        (
            "{n, plural, one {# cat} other {# cats}} left",
            ["{n, plural, one {# cat} other {# cats}}"],
        ),
        ("Set the key 'mode' to “fast” or \"slow\".", ["mode", "fast", "slow"]),
        ("5 < 7 and 8 >= 3, but a<b", ["<", ">="]),
        # markup
        ('a <b class="x">bold</b> word<br/>', ['<b class="x">', "</b>", "<br/>"]),
        ("**bold**, _it_ and ~~gone~~", ["**", "**", "_", "_", "~~", "~~"]),
        ("[the text](https://x.org) here", ["[", "](https://x.org)"]),
        ("Tom &amp; Ann&#39;s", ["&amp;", "&#39;"]),
        # emoji
        ("nice :tada: 👍🏽 👨‍👩‍👧 1️⃣", [":tada:", "👍🏽 👨‍👩‍👧 1️⃣"]),
        ("© 2024 → ™", ["©", "→ ™"]),
        # names with digits, versions
        ("v2, v1.2.3, 1.2.3-rc.1 and 2.x", ["v2", "v1.2.3", "1.2.3-rc.1"]),
        ("Python 3.11 and COVID-19, mp3, utf-8", ["3.11", "COVID-19", "mp3", "utf-8"]),
        # numbers
        ("80000, 1,250.5 and 3.5", ["80000", "1,250.5", "3.5"]),
        ("12:30, 3:30 pm, 2024-01-05", ["12:30", "3:30 pm", "2024-01-05"]),
        # what the network cannot read
        ("Łódź, 中文 and Привет", ["Łódź", "中文", "Привет"]),
        ("20℃", ["20℃"]),
    ],
)
def test_what_is_taken_over_is_found_without_the_marks_around_it(
    text: str, items: list[str]
) -> None:
    assert found(text) == items


@pytest.mark.parametrize(
    "text",
    [
        "and/or, he/she, km/h",
        "100% sure, 50% off, 5 % of it",
        "e.g. this, i.e. that, etc. or vs. those",
        "the U.S. Army, J. R. R. Tolkien, in the a.m.",
        "the 21st century, 1st, 2nd, 3rd",
        "the end.He left, John.Smith too",
        "l'homme, O'Brien, rock 'n' roll",
        "AT&T, R&D, C++, C# and A+",
        "a * b, a | b, x = y, 3 + 4",
        "well-known, T-shirt, e-mail, 10-year-old",
        "NATO, NASA's, the '90s",
        "in 2024, $5, 20 €, 5°C",
        "wait... (really?!) [sic] “so”",
        "word--word - word – word",
    ],
)
def test_ordinary_text_is_left_to_the_network(text: str) -> None:
    assert found(text) == []
    assert found(text, FRENCH) == []


def test_with_every_number_small_ones_are_items_too_and_others_stay_as_they_are() -> None:
    text = "It is 20℃ in room 5, at 3:30 pm on 12 May 2024, in 50₽, é5 and 21st."
    usual = ENGLISH.find(text)
    every = ENGLISH.find(text, every_number=True)
    assert [text[slice(*span)] for span, item in every if item.small] == ["5", "12", "2024"]
    assert [one for one in every if not one[1].small] == usual


def test_a_reserved_character_stands_for_each_item_and_gives_way_to_it_again() -> None:
    text = "Hello {name}, pay 1,250.50 at https://x.org or 80000!"
    plain, items = replaced(TracedText(text), ENGLISH.find(text))
    n, v = NUMBERS, VERBATIM
    assert plain.text == f"Hello {v[0]}, pay {n[0]} at {v[1]} or {n[1]}!"
    assert put_back(plain, items).text == text.replace("1,250.50", "1 250,50")
    assert put_back(TracedText(f"{n[5]}{v[1]}?"), items).text == "https://x.org?"


def test_neighbours_share_a_character_where_there_are_too_many_of_them() -> None:
    text = "😀 {a} {b} " * 4 + "und {c}, {d}"
    plain, items = replaced(TracedText(text), ENGLISH.find(text))
    assert len(items) <= len(VERBATIM)
    assert put_back(plain, items).text == text


@pytest.mark.parametrize("count", [11, 40])
def test_what_has_no_character_left_stays_in_the_text(count: int) -> None:
    text = ", ".join(f"{{a{number}}} x 1234{number}5" for number in range(count))
    plain, items = replaced(TracedText(text), ENGLISH.find(text))
    assert len(items) == len(RESERVED)
    assert put_back(plain, items).text == text


def test_a_reserved_character_of_the_text_is_never_taken_for_one_of_ours() -> None:
    text = ", ".join([f"{{a{number}}}" for number in range(10)] + [VERBATIM[3], NUMBERS[0]])
    plain, items = replaced(TracedText(text), ENGLISH.find(text))
    assert kept(plain.text, items)
    few = f"{VERBATIM[3]} and {{a}}"
    plain, items = replaced(TracedText(few), ENGLISH.find(few))
    assert put_back(plain, items).text == few


@given(st.text(st.sampled_from("aA1_.-/\\@#{}<>%$`*:[]()& ,'\n👍é中\ue010\ue020"), max_size=40))
@example("{" * 30)
def test_of_any_text_nothing_is_lost(text: str) -> None:
    for every in (False, True):
        plain, items = replaced(TracedText(text), ENGLISH.find(text, every_number=every))
        as_written = {
            character: Item(item.text, (item.text,), number=False)
            for character, item in items.items()
        }
        assert kept(plain.text, items)
        if len(items) < len(VERBATIM):
            assert put_back(plain, as_written).text == text


@pytest.mark.parametrize(
    ("translation", "right"),
    [("a {0} b {1}", True), ("{1} a {0}", True), ("a {0}", False), ("{0} {0} {1}", False)],
)
def test_each_reserved_character_must_be_there_exactly_once(translation: str, right: bool) -> None:
    assert kept(translation.format(VERBATIM[0], NUMBERS[0]), [VERBATIM[0], NUMBERS[0]]) is right


def item(*forms: str, number: bool = False) -> Item:
    return Item(forms[0], forms, number)


@pytest.mark.parametrize(
    ("items", "target", "texts"),
    [
        ([item("3.5", "3,5")], "Il y a 3,5 litres.", ["3,5"]),
        ([item("5"), item("5")], "5 et 5", ["5", "5"]),
        ([item("5"), item("5")], "5 et 6", ["5", None]),
        ([item("5")], "1,5 et 5,2 et 15 et 5a", [None]),
        ([item("{a}")], "x{a}y", ["{a}"]),
        ([item("ab")], "abc cab", [None]),
    ],
)
def test_an_item_is_found_in_a_reference_as_a_thing_of_its_own(
    items: list[Item], target: str, texts: list[str | None]
) -> None:
    places = matched(items, target)
    assert [place and target[slice(*place)] for place in places] == texts
    assert len({place for place in places if place}) == sum(map(bool, places))


@pytest.mark.parametrize(
    ("finder", "text", "item", "rendering"),
    [
        (ENGLISH, "It costs £1,250.50.", "£1,250.50", "1 250,50 £"),
        (ENGLISH, "a £5 note", "£5", "5 £"),
        (FRENCH, "Il coûte 5,99 £ ici.", "5,99 £", "£5.99"),
        (FRENCH, "environ 300 ¥", "300 ¥", "¥300"),
    ],
)
def test_the_sign_of_a_currency_that_the_network_does_not_know_goes_with_its_amount(
    finder: Finder, text: str, item: str, rendering: str
) -> None:
    ((_, found),) = finder.find(text)
    assert (found.text, found.renderings[0], found.number) == (item, rendering, True)
