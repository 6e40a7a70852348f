"""Whole documents through the command: translated, or redacted, and nothing else of them changed."""

import json
from pathlib import Path

import pytest

from textloom.cli.documents import loses_markup

from .conftest import Run

HTML = '<p title="e"><b>the cat sleeps.</b></p>\n<code>sleep</code>\n<p>there.</p>\n'


def test_html_is_translated_with_its_tags(run: Run, readers: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(HTML)
    options = ("--from", "en", "--to", "fr", "--models", readers)
    assert run("translate", "page.html", *options).out == (
        '<p title="e"><b>thé cat slééps.</b></p>\n<code>sleep</code>\n<p>théré.</p>\n'
    )
    rows = run("translate", "page.html", *options, "--format", "jsonl").out
    assert "<b>thé cat slééps.</b>" in json.loads(rows)["translation"]


def test_markup_within_texts_comes_through(run: Run, readers: Path, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# The end\n\n- see `here` and [there](http://e.com/e).\n")
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\n<i>the end</i>\n", newline="\r\n"
    )
    (tmp_path / "a.po").write_text('msgid "the {name} end"\nmsgstr ""\n')
    options = ("--from", "en", "--to", "fr", "--models", readers)
    run("translate", "a.md", "a.srt", "a.po", *options, "-o", "out")
    assert (tmp_path / "out" / "a.md").read_text() == (
        "# Thé énd\n\n- séé `here` and [théré](http://e.com/e).\n"
    )
    assert (tmp_path / "out" / "a.srt").read_bytes() == (
        "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>thé énd</i>\r\n".encode()
    )
    assert 'msgstr "thé {name} énd"' in (tmp_path / "out" / "a.po").read_text()


def test_a_document_keeps_its_encoding(run: Run, readers: Path, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes("<p>the café</p>\n<p>déjà vu</p>".encode("cp1252"))
    (tmp_path / "b.srt").write_bytes("1\n00:01,0 --> 00:02,0\nend\n".encode("utf-16"))
    options = ("--from", "en", "--to", "fr", "--models", readers, "-o")
    run("translate", "a.html", *options, "A.html")
    assert "<p>thé café</p>" in (tmp_path / "A.html").read_bytes().decode("cp1252")
    run("translate", "b.srt", *options, "B.srt")
    assert "énd" in (tmp_path / "B.srt").read_bytes().decode("utf-16")


def test_a_text_file_is_a_document_if_one_is_asked_for(
    run: Run, readers: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("the end\nis near.\n\n  the rest\n")
    options = ("--from", "en", "--to", "fr", "--models", readers, "-o", "b.txt")
    run("translate", "a.txt", *options)
    assert (tmp_path / "b.txt").read_text() == "thé énd\nis néar.\n\n  thé rést\n"
    assert "use --overwrite to replace it" in run("translate", "a.txt", *options, status=1).err
    run("translate", "a.txt", *options, "--overwrite")


def test_rows_of_a_document_are_its_texts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# good\n\nawful\n")
    out = run("sentiment", "a.md", "--format", "jsonl").out
    assert [(row["line"], row["sentiment"]) for row in map(json.loads, out.splitlines())] == [
        (1, "positive"), (3, "negative"),
    ]  # fmt: skip


LETTER = "Ada Lovelace, London\n\nTo [PER-1]: London is where ada lovelace\n  met Ada Lovelace.\n"


def test_a_redacted_file_is_the_file_without_its_names(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text(LETTER)
    assert run("ner", "letter.txt", "--redact").out == (
        "[PER], [LOC]\n\nTo [PER-1]: [LOC] is where ada lovelace\n  met [PER].\n"
    )


def test_pseudonyms_are_the_same_through_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text(LETTER)
    run("ner", "letter.txt", "--pseudonyms", "-o", "out.txt", "--offsets", "byte")
    assert (tmp_path / "out.txt").read_text() == (
        "[PER-2], [LOC-1]\n\nTo [PER-1]: [LOC-1] is where ada lovelace\n  met [PER-2].\n"
    )


def test_redacted_rows_hold_no_name_and_no_other_column(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mails.csv").write_bytes(b"id,text\n1,Ada Lovelace\n2,\xff London\n3,good\n")
    done = run("ner", "mails.csv", "--redact", "-o", "out.csv", status=1)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "id,text,error",
        "1,[PER],",
        "2,,not UTF-8 at byte 0; set another encoding with --encoding",
        "3,good,",
    ]
    assert "line 3" in done.err
    out = run("ner", "mails.csv", "--redact", "--format", "pretty", status=1).out
    assert "Ada" not in out
    assert "[PER]" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ner", "a.html", "--redact"], "a.html: only text, subtitles, Markdown and rows"),
        (["ner", "bad.txt", "--redact"], "bad.txt: not written"),
        (["translate", "a.html", "a.md", "--to", "fr"], "process them separately"),
        (["translate", "a.md", "a.csv", "--to", "fr"], "process them separately"),
        (["translate", "a.md", "b.md", "--to", "fr", "-o", "a.csv.md"], "is a file; several"),
        (["translate", "a.md", "--to", "fr", "-o", "a.md", "--overwrite"], "is also read; choose"),
        (["translate", "a.md", "--to", "fr", "-o", "no/a.md"], "No such file"),
        (["translate", "bad.po", "--to", "fr"], "bad.po: "),
        (["translate", "a.md", "--to", "de"], "auto to de is not served"),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_written(
    run: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    for name in ("a.html", "a.md", "b.md", "a.csv", "a.csv.md", "bad.po"):
        (tmp_path / name).write_text("text\nplain\n")
    (tmp_path / "bad.txt").write_bytes(b"bad \xff byte London\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = run(*arguments, status=1)
    assert said in done.err
    assert done.out == ""
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("translation", "lost"),
    [
        ("Voyez <b>%s</b>.", False),
        ("<b>%s</b>, voyez.", False),
        ("Voyez %s.", True),
        ("Voyez <b>ceci</b>.", True),
        ("Voyez <B>%s</B>.", True),
    ],
)
def test_a_translation_that_loses_markup_is_told(translation: str, lost: bool) -> None:
    assert loses_markup("See <b>%s</b>.", translation) is lost


def test_shards_of_documents_are_documents(run: Run, readers: Path, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.md").write_text("the end\n")
    options = ("--from", "en", "--to", "fr", "--models", readers, "-o", "out", "--shard", "2/2")
    run("translate", "a.md", "b.md", "c.md", *options)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.md"]
