"""Documents of the command line: catalogs of gettext, lost markup, and which file is what."""

from pathlib import Path

import pytest

from textloom.cli.documents import loses_markup, parse

CATALOG = r"""# Translators
msgid ""
msgstr ""
"Project-Id-Version: shop\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

#. for the button
#: shop.c:12
#, c-format
msgid "Delete %s?"
msgstr ""

msgid "one file\n"
msgid_plural "%d files\n"
msgstr[0] ""
msgstr[1] ""

#, fuzzy
msgid "Open"
msgstr "Ouvrir"

msgctxt "menu"
msgid "Close"
msgstr "Fermer"

#~ msgid "old"
#~ msgstr "vieux"
"""


def test_a_catalog_gets_the_translations_that_it_lacks() -> None:
    document = parse("po", CATALOG)
    assert document.texts == ["Delete %s?", "one file\n", "%d files\n"]
    first = [CATALOG.splitlines()[line - 1] for line in document.lines]
    assert first == ["#. for the button", *['msgid "one file\\n"'] * 2]
    translated = document.with_texts(["Supprimer %s ?", "un fichier", "%d fichiers"], "fr")
    expected = (
        CATALOG.replace(
            'msgid "Delete %s?"\nmsgstr ""', 'msgid "Delete %s?"\nmsgstr "Supprimer %s ?"'
        )
        .replace('msgstr[0] ""', 'msgstr[0] "un fichier\\n"')
        .replace('msgstr[1] ""', 'msgstr[1] "%d fichiers\\n"')
        .replace('charset=UTF-8\\n"\n', 'charset=UTF-8\\n"\n"Language: fr\\n"\n')
    )
    assert sorted(translated.splitlines()) == sorted(expected.splitlines())
    assert parse("po", CATALOG).with_texts([None] * 3, None).splitlines() == CATALOG.splitlines()


def test_what_is_no_catalog_says_so() -> None:
    with pytest.raises(ValueError, match="line 1"):
        parse("po", "no catalog at all\n")


@pytest.mark.parametrize(
    ("text", "answer", "lost"),
    [
        ("Open **it** in `vi`.", "Ouvrez-**le** dans `vi`.", False),
        ("See [this](http://a.b).", "Voir [ceci](http://a.c).", True),
        ("{name} has %d files", "{name} a %d fichiers", False),
        ("{name} has %d files", "{nom} a %d fichiers", True),
        (r"{\an8}Up", r"{\an8}Haut", False),
        ("100 % sure", "100 % sûr", False),
    ],
)
def test_lost_markup_is_noticed(text: str, answer: str, lost: bool) -> None:
    assert loses_markup(text, answer) is lost


def test_the_formats_of_documents_are_told_by_their_endings() -> None:
    from textloom.cli.opening import kind_of

    names = ["a.srt", "a.vtt", "a.HTML", "a.htm", "a.md", "a.po.gz", "a.pot", "a.txt", "a"]
    assert [kind_of(str(Path("folder") / name)) for name in names] == [
        "srt", "srt", "html", "html", "md", "po", "po", "text", "text",
    ]  # fmt: skip
