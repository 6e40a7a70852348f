"""`python -m training republish`: a published translator as a new version, with current code and recipe.

For when what surrounds a network has improved. Nothing is trained; everything is scored again, in the bundle's own
precision. The earlier version stays as it is.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro
from tokenizers import Tokenizer

from service.registry import bundle
from service.tasks.translate.lexicon import FILE as LEXICON
from service.tasks.translate.task import Translate
from training.config import Options, Precision, read_recipe
from training.data import corpora
from training.errors import TrainingError
from training.evaluation import behaviour
from training.evaluation.loading import load_translator
from training.evaluation.scores import Scores
from training.export import card
from training.export.golden import golden_examples
from training.tasks.translate import lexicon, scores
from training.tasks.translate.config import BUNDLE_OPTIONS
from training.tasks.translate.config import Config as TranslatorConfig
from training.tasks.translate.graph import check_parity, write_graphs
from training.tasks.translate.network import Network
from training.tasks.translate.scores import source_first
from training.tasks.translate.weights import read_weights


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a translator's version, as models/translate-en-fr/1."""
    recipe: Path
    """Recipe that it was trained with; its notes, lexicon and sets of behaviour are taken as they are now."""
    data: Path | None = None
    """Folder in which the bundle's test files and the lexicon's are looked up, after the current one."""


def main(argv: Sequence[str]) -> Path:
    """Publishes the next version; gives its folder."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training republish",
        description="Publishes a translator again, without training: with current options, notes and scores.",
    )
    old = load_translator(config.bundle)
    recipe = read_recipe(TranslatorConfig, config.recipe)
    pair = [recipe.network.source, recipe.network.target]
    if pair != [old.source, old.target]:
        raise TrainingError(
            f"{config.recipe} is for {' to '.join(pair)}, the bundle for {old.source} to {old.target}"
        )
    manifest = old.bundle.manifest
    own = TranslatorConfig.model_validate(manifest.training.recipe)
    tokenizer = Tokenizer.from_file(str(old.bundle.file("tokenizer.json")))
    network = Network(own.network, tokenizer.get_vocab_size()).eval()
    network.load_state_dict(read_weights(old.bundle.path))
    words = lexicon.read(
        recipe.lexicon,
        languages=(old.source, old.target),
        reverse=own.network.reverse,
        known=tokenizer.get_vocab(),
        folder=config.data,
    )

    def written(folder: Path, precision: Precision) -> Translate:
        for name in manifest.files.keys() - {"card.md", LEXICON}:
            shutil.copyfile(old.bundle.file(name), folder / name)
        if words:
            lexicon.write(folder / LEXICON, words)
        write_graphs(network, tokenizer, folder, precision)
        check_parity(network, folder, precision)
        return Translate(bundle.seal(folder, manifest))

    staged = bundle.stage(old.bundle.path.parent.parent, manifest.name)
    notes = f"{recipe.notes}\nThe network is that of version {manifest.version}, published anew.\n"
    described = manifest.training.recipe | {"notes": notes, "lexicon": list(recipe.lexicon)}
    kept = {name: value for name, value in manifest.options.items() if name != "lexicon"}
    manifest = manifest.model_copy(
        update={
            "options": kept | BUNDLE_OPTIONS | ({"lexicon": LEXICON} if words else {}),
            "training": manifest.training.model_copy(update={"recipe": described}),
        }
    )

    def score(task: Translate) -> Scores:
        sets = behaviour.score_sets(task, recipe.behaviour) if recipe.behaviour else {}
        return _scores(task, config.data) | sets

    task = written(staged, own.precision)
    results, float32_scores = score(task), None
    if own.precision != "float32":
        with TemporaryDirectory() as folder:
            float32_scores = score(written(Path(folder), "float32"))
    manifest = manifest.model_copy(update={"scores": results, "golden": golden_examples(task)})
    card.write(staged, manifest, history=None, confusion=None, float32_scores=float32_scores)
    published = bundle.publish(bundle.seal(staged, manifest))
    print(f"published {published.path}")
    return published.path


def _scores(task: Translate, data: Path | None) -> Scores:
    """Of the test files that the bundle was scored on before."""
    results: Scores = {}
    for corpus in task.bundle.manifest.training.corpora:
        if corpus.split == "test":
            _, pairs, _ = corpora.read_file(
                corpora.read_pairs, corpus.file, folder=data, labels={}, seed=1, kind="test"
            )
            name = corpora.test_name(corpus.file, results)
            results[name] = scores.score(task, source_first(task, pairs))
    return results
