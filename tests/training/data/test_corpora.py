"""Files of every format, and what is said of one that cannot be used, before any training starts."""

import lzma
from pathlib import Path

import pytest

import training
from tests.training import tiny
from training.__main__ import main
from training.data.corpora import (
    Data,
    Labelled,
    Pair,
    Split,
    Tagged,
    load,
    read_conll,
    read_file,
    read_labelled,
    read_pairs,
    read_texts,
)
from training.errors import TrainingError


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_conll_is_read_sentence_by_sentence(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.txt",
        "-DOCSTART-\tO\n\nAda\tB-PER\nLovelace\tI-PER\n\n\nin X x B-LOC\nEnd\tO",
    )
    assert list(read_conll(path, {})) == [
        Tagged(("Ada", "Lovelace"), ("B-PER", "I-PER")),
        Tagged(("in", "End"), ("B-LOC", "O")),
    ]


def test_conll_with_windows_line_ends_is_the_same(tmp_path: Path) -> None:
    lines = "Ada\tB-PER\nleft\tO\n\nAda\tB-PER\n"
    plain, windows = put(tmp_path / "a.txt", lines), tmp_path / "b.txt"
    put(windows, lines.replace("\n", "\r\n"))
    assert list(read_conll(windows, {})) == list(read_conll(plain, {}))


def test_an_i_tag_that_continues_nothing_begins_an_entity(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", "a\tI-PER\nb\tI-PER\nc\tI-LOC\n")
    assert next(read_conll(path, {})).tags == ("B-PER", "I-PER", "B-LOC")


def test_labels_are_renamed_and_dropped(tmp_path: Path) -> None:
    conll = put(tmp_path / "a.txt", "a\tB-person\nb\tI-person\nc\tB-misc\n")
    assert next(read_conll(conll, {"person": "PER", "misc": ""})).tags == ("B-PER", "I-PER", "O")
    json_lines = put(tmp_path / "a.jsonl", '{"text": "a", "label": 1}\n{"text":"b","label":"x"}\n')
    renamed = read_labelled(json_lines, {"1": "good", "x": ""})
    assert list(renamed) == [Labelled("a", "good")]


def test_csv_may_hold_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.csv",
        'id,text,label\n1,"He said ""no"", twice.\nThen he left.",bad\n2,plain,good\n3, ,good\n',
    )
    assert list(read_labelled(path, {})) == [
        Labelled('He said "no", twice.\nThen he left.', "bad", "1"),
        Labelled("plain", "good", "2"),
    ]


def test_pairs_are_stripped_and_half_empty_ones_left_out(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", " a \tà\nb\t\n\tc\nd\u2028d\té\n")
    assert list(read_pairs(path, {})) == [Pair("a", "à"), Pair("d\u2028d", "é")]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_xz_is_read_as_the_plain_file_is(tmp_path: Path, name: str) -> None:
    text = 'text,label\n"é 😀",x\n' if name == "a.csv" else '{"text": "é 😀", "label": "x"}\n'
    packed = tmp_path / (name + ".xz")
    packed.write_bytes(lzma.compress(text.encode()))
    assert list(read_labelled(packed, {})) == [Labelled("é 😀", "x")]
    assert list(read_labelled(put(tmp_path / name, text), {})) == [Labelled("é 😀", "x")]


BAD_FILES = {
    "conll without a tag": ("ner", "bad.txt", "Ada\tB-PER\nLovelace\n", r":2: expected token TAB"),
    "conll with a bad tag": ("ner", "bad.txt", "Ada\tPERSON\n", r":1: expected an IOB2 tag .*PERSON"),
    "conll without an entity": ("ner", "bad.txt", "a\tO\n", "no entity: every tag is O"),
    "conll without a sentence": ("ner", "bad.txt", "\n\n", "the train split is empty"),
    "no json": ("sentiment", "bad.jsonl", '{"text": "a", "label": "b"}\nhello\n', r":2: .*JSON obj"),
    "json of another kind": ("sentiment", "bad.jsonl", "[1]\n", r":1: expected a JSON object"),
    "json without a label": ("sentiment", "bad.jsonl", '{"text": "a"}\n', r":1: .*`text` and `label`"),
    "csv without a header": ("sentiment", "bad.csv", "hello,good\n", r":1: .*columns text and label"),
    "csv with an open quote": (
        "sentiment",
        "bad.csv",
        'text,label\na,b\n"c,d\n',
        r"bad\.csv:\d: expected a CSV row",
    ),
    "csv with a short row": ("sentiment", "bad.csv", "text,label\na\n", r":2: expected the fields"),
    "an empty file": ("sentiment", "bad.jsonl", "", "bad.jsonl: the train split is empty"),
    "a single label": ("sentiment", "bad.jsonl", '{"text": "a", "label": "b"}\n', "only the label"),
    "one column": ("translate", "bad.tsv", "a\tb\nc\n", r":2: expected text TAB translation"),
    "three columns": ("translate", "bad.tsv", "a\tb\tc\n", r":1: expected text TAB translation"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_used_is_named_before_any_training(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    task, name, text, message = BAD_FILES[case]
    bad = put(tmp_path / name, text)
    expect_refusal(task, corpora, tmp_path, capsys, message, "--train", str(bad))


def expect_refusal(
    task: str,
    corpora: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    message: str,
    *options: str,
) -> None:
    """The command ends with 1 and one line that says `message`, and has begun nothing."""
    assert main([task, *tiny.arguments(task, corpora, folder, *options)]) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"python -m training {task}: ")
    assert "\n" not in said
    with pytest.raises(TrainingError, match=message):
        raise TrainingError(said)
    assert not (folder / "runs").exists()
    assert not (folder / "models").exists()


def test_a_missing_file_is_named_with_the_folders_searched(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "nowhere.txt: no such file here"
    expect_refusal("ner", corpora, tmp_path, capsys, message, "--dev", "nowhere.txt")
    both = ("--dev", "nowhere.txt", "--data", str(corpora))
    message = f"nowhere.txt: no such file here or in {corpora}"
    expect_refusal("ner", corpora, tmp_path, capsys, message, *both)


@pytest.mark.parametrize("task", ["ner", "sentiment"])
def test_labels_seen_only_in_test_are_refused(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    texts = {"ner": "x\tB-NEW\n", "sentiment": '{"text": "x", "label": "NEW"}\n'}
    test = put(tmp_path / ("t.txt" if task == "ner" else "t.jsonl"), texts[task])
    message = "labels that the training files lack: NEW; rename or drop them with --labels"
    expect_refusal(task, corpora, tmp_path, capsys, message, "--test", str(test))


def test_bytes_that_are_not_utf8_are_refused(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.tsv").write_bytes("été\tsummer\n".encode("latin-1"))
    message = r"latin\.tsv: not UTF-8"
    path = str(tmp_path / "latin.tsv")
    expect_refusal("translate", corpora, tmp_path, capsys, message, "--train", path)


@pytest.mark.parametrize("content", [b"plain", lzma.compress(b"a\tb\n" * 1000)[:60]])
def test_a_damaged_xz_file_is_refused(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "bad.tsv.xz").write_bytes(content)
    message = r"bad\.tsv\.xz: not a whole \.xz file"
    path = str(tmp_path / "bad.tsv.xz")
    expect_refusal("translate", corpora, tmp_path, capsys, message, "--train", path)


@pytest.mark.parametrize("amount", ["#0", "#x", "#-3", "#2y", "#1.5"])
def test_a_bad_amount_is_refused(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], amount: str
) -> None:
    message = r"after # comes a count \(#5000\) or a repetition \(#2x\)"
    path = str(corpora / "ner-train.txt") + amount
    expect_refusal("ner", corpora, tmp_path, capsys, message, "--train", path)


def test_each_split_needs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentiment", "--out", str(tmp_path / "models" / "a")]) == 1
    assert "--train, --dev and --test each need a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("[network]\nhiden = 3\n", r"network\.hiden: Extra inputs are not permitted"),
        ("[network]\ncell = 'cnn'\n", r"network\.cell: Input should be 'rnn', 'lstm' or 'gru'"),
        ("[fit]\nepochs = 0\n", r"fit\.epochs: Input should be greater than or equal to 1"),
        ("[fit\n", "not TOML"),
        (None, "cannot read this recipe: No such file"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_place(
    corpora: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: str | None,
    message: str,
) -> None:
    path = tmp_path / "recipe.toml"
    if recipe is not None:
        put(path, recipe)
    expect_refusal("ner", corpora, tmp_path, capsys, message, "--recipe", str(path))


def test_the_command_line_wins_over_the_recipe(tmp_path: Path) -> None:
    from training.config import parse
    from training.tasks.ner.config import Config

    path = put(tmp_path / "recipe.toml", "[network]\nhidden = 3\nlayers = 2\n")
    config = parse(Config, ["--recipe", str(path), "--hidden", "5"], "ner", "")
    assert (config.network.hidden, config.network.layers) == (5, 2)
    with pytest.raises(TrainingError, match="--recipe needs a file"):
        parse(Config, ["--recipe"], "ner", "")


def loaded(folder: Path, *train: str, dev: str = "dev.tsv") -> Data[Pair]:
    return load(
        read_pairs,
        train=train,
        dev=[dev],
        test=["test.tsv"],
        folder=folder,
        labels={},
        licences={"train": "CC0"},
        seed=1,
    )


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    put(tmp_path / "train.tsv", "".join(f"text {n}\ttexte {n}\n" for n in range(50)))
    put(tmp_path / "dev.tsv", "Text 3!\ttexte 3\nother\tautre\n")
    put(tmp_path / "test.tsv", "TEXT, 7\ttexte\n")
    return tmp_path


def test_training_texts_that_stand_in_dev_or_test_are_left_out(pairs: Path) -> None:
    data = loaded(pairs, "train.tsv")
    kept = {pair.text for pair in data.train}
    assert kept == {f"text {n}" for n in range(50)} - {"text 3", "text 7"}
    assert data.left_out == 2


def test_training_on_dev_itself_is_refused(pairs: Path) -> None:
    with pytest.raises(TrainingError, match="every example also stands in dev or test"):
        loaded(pairs, "dev.tsv")


def test_a_count_draws_so_many_examples_the_same_each_time(pairs: Path) -> None:
    data = loaded(pairs, "train.tsv#10")
    assert len(data.train) + data.left_out == 10
    assert len({pair.text for pair in data.train}) == len(data.train)
    assert loaded(pairs, "train.tsv#10").train == data.train
    assert len(loaded(pairs, "train.tsv#999").train) == 48


def test_a_repetition_reads_a_file_so_often(pairs: Path) -> None:
    data = loaded(pairs, "train.tsv#3x")
    assert len(data.train) == 3 * 48
    assert [corpus.examples for corpus in data.corpora] == [2, 1, 150]


def test_the_manifest_is_told_of_each_file(pairs: Path) -> None:
    dev, test, train = loaded(pairs, "train.tsv#10").corpora
    assert (dev.split, dev.licence, test.split, test.examples) == ("dev", "", "test", 1)
    assert (train.file, train.split, train.licence) == ("train.tsv#10", "train", "CC0")
    assert len(train.sha256) == 64


@pytest.mark.parametrize(
    ("line", "expected"),
    [("{broken", "2: expected a JSON object"), ('{"label": "x"}', "2: expected the field `text`")],
)
def test_vectors_name_the_line_that_is_no_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, expected: str
) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(f'{{"text": "a plain remark"}}\n{line}\n', encoding="utf-8")
    assert main(["vectors", "--text", str(path), "--out", str(tmp_path / "vectors.bin")]) == 1
    assert f"texts.jsonl:{expected}" in capsys.readouterr().err


def test_each_example_knows_its_file(pairs: Path) -> None:
    put(pairs / "more.tsv", "something else\tautre chose\n")
    put(pairs / "dev2.tsv", "one more\tun de plus\n")
    data = load(
        read_pairs,
        train=["more.tsv", "train.tsv#2x"],
        dev=["dev.tsv", "dev2.tsv"],
        test=["test.tsv"],
        folder=pairs,
        labels={},
        licences={},
        seed=1,
    )
    assert data.origins == [0] + [1] * 2 * 48
    assert data.dev_origins == [0, 0, 1]
    assert [one.text for one in data.dev] == ["Text 3!", "other", "one more"]


def test_rows_that_must_be_left_out_are_in_no_training(tmp_path: Path) -> None:
    rows = "".join(f'{{"text": "text {n}", "label": "good", "id": "p/{n}"}}\n' for n in range(4))
    for name in ("train.jsonl", "test.jsonl"):
        put(tmp_path / name, rows)
    put(tmp_path / "leave_out_of_training.tsv", "split\tid\ntrain\tp/1\ntest\tp/2\n")

    def texts(name: str, kind: Split) -> list[str]:
        _, examples, _ = read_file(
            read_labelled, name, folder=tmp_path, labels={}, seed=1, kind=kind
        )
        return [example.text for example in examples]

    assert texts("train.jsonl", "train") == ["text 0", "text 2", "text 3"]
    assert texts("train.jsonl", "dev") == ["text 0", "text 2", "text 3"]
    assert texts("test.jsonl", "test") == [f"text {n}" for n in range(4)]
    assert list(read_texts(tmp_path / "train.jsonl")) == ["text 0", "text 2", "text 3"]


def test_our_own_phrases_are_pairs_and_none_stands_twice() -> None:
    pairs = list(read_pairs(Path(training.__file__).with_name("phrases.tsv"), {}))
    assert len({pair.text for pair in pairs}) == len(pairs) > 1000
    assert all(pair.text.strip() and pair.other.strip() for pair in pairs)
