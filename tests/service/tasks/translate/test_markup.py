"""Markup around a translation whose words are given; that of a network is tested in test_task.py."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.translate.markup import parse, restored
from service.tasks.translate.segmentation import segments
from service.tasks.translate.tags import sentence_markup, with_markup
from service.tasks.translate.tracing import TracedText

Translate = Callable[[str, int], TracedText]


def same(text: str, start: int) -> TracedText:
    return TracedText(text, range(start, start + len(text) + 1))


def backwards(text: str, start: int) -> TracedText:
    """The words in the opposite order, each attended to itself."""
    words = [(match[0], match.start()) for match in re.finditer(r"\S+", text)][::-1]
    translation, origins = "", list[int]()
    for word, at in words:
        space = " " if translation else ""
        origins += [start + at] * len(space) + [start + at + one for one in range(len(word))]
        translation += space + word
    return TracedText(translation, [*origins, start])


def translated(html: str, translate: Translate) -> str:
    document = parse(html)
    parts, end = [], 0
    for span in segments(document.text, "en", []):
        start, stop, elements, singles = sentence_markup(document, span)
        translation = translate(document.text[slice(*span)].replace("\n", " "), span[0])
        parts += [html[end:start], with_markup(translation, elements, singles)]
        end = stop
    return restored(document, "".join([*parts, html[end:]]))


@pytest.mark.parametrize(
    "html",
    [
        '<p>Run <code>open file --all</code> first.</p><pre>print("good morning")</pre>',
        '<a href="#"><em><span style="color:red">See the whole</span></em> <em><span>range here!</span></em></a>',
        'Hi <a href="" onclick="if(a>b)go();">second test</a> ready',
        '<a title="5 > 4" href="x">Thank you</a>',
        '<img src="a.png" alt="A dog"><input placeholder="Your name">',
        '<div translate="no">Do not <b>touch</b> this</div><p>Hello <i>my <b>dear</b> friend</i>!</p>',
        "<ul>\n  <li>One cat</li>\n\n  <li>Two dogs</li>\n</ul>",
        "<table><tr><td>Name</td><td>Age</td></tr></table>",
        "<script>var a = '<b>';</script>Hello<!-- no --> you",
        "I never said that<br />you could go home.",
        "Tom &amp; Anna say 5 &lt; 7.",
        "one <b>two",
        "one</b> two",
        "",
        "no markup at all",
    ],
)
def test_markup_is_unchanged_byte_for_byte_where_the_words_are(html: str) -> None:
    assert translated(html, same) == html


def test_an_element_goes_with_its_words() -> None:
    html = 'Read <a href="x">our long guide</a> now, <b>please</b> do.'
    assert (
        translated(html, backwards) == 'do. <b>please</b> now, <a href="x">guide long our</a> Read'
    )


def test_elements_stay_nested() -> None:
    html = "<p>See <i>the <b>big</b> house</i> there</p>"
    assert translated(html, backwards) == "<p>there <i>house <b>big</b> the</i> See</p>"


def test_a_sentence_over_several_lines_of_the_source_is_one() -> None:
    html = "<p>\n\t\tWhen a line has no verb\n\t\tof its own, it is wrong.\n</p>"
    assert len(segments(parse(html).text, "en", [])) == 1


def test_entities_of_the_text_stay_valid() -> None:
    assert (
        translated("Tom &amp; Anna:&nbsp;5 &lt; 7 &gt; 3", backwards)
        == "3 &gt; 7 &lt; 5 Anna: &amp; Tom"
    )


def test_what_is_not_to_be_translated_is_not_among_the_text() -> None:
    html = '<p>a <span class="x notranslate">Foo <span>Bar</span></span> b</p><style>p {}</style><kbd>Ctrl</kbd>'
    text = parse(html).text
    assert not re.search("Foo|Bar|Ctrl|{", text)


def test_an_element_over_two_sentences_stays_balanced() -> None:
    html = "<p>One <b>big. Small</b> cat.</p>"
    answer = translated(html, backwards)
    assert answer.count("<b>") == answer.count("</b>") == 1
    assert answer.index("<b>") < answer.index("</b>")


class Balance(HTMLParser):
    """Whether tags are properly nested."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.stack.append(tag)
        self.seen.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag
        self.seen.append(f"</{tag}>")


def inline(depth: int) -> st.SearchStrategy[str]:
    words = st.sampled_from(["cat ", "dog, ", "the red ", "x. ", "house"])
    if not depth:
        return words
    element = st.tuples(
        st.sampled_from(["b", "i", "a", "span"]), st.lists(inline(depth - 1), max_size=3)
    )
    return words | element.map(lambda one: f"<{one[0]}>{''.join(one[1])}</{one[0]}>")


@given(st.lists(inline(3), min_size=1, max_size=6).map("".join), st.sampled_from([same, backwards]))
def test_every_tag_is_there_once_and_properly_nested(html: str, translate: Translate) -> None:
    before, after = Balance(), Balance()
    before.feed(f"<p>{html}</p>")
    after.feed(translated(f"<p>{html}</p>", translate))
    assert not after.stack
    assert sorted(after.seen) == sorted(before.seen)
