"""A Transformer of the usual size (6+6 layers, width 512) in CTranslate2 int8, with random weights.

Random weights translate nothing, but cost what trained ones cost: each sentence is decoded to the length that
our translator gives it.
"""

import random
import tempfile
import time
from collections.abc import Sequence

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec

LAYERS, WIDTH, HEADS, INNER, VOCABULARY = 6, 512, 8, 2048, 32_000


class Transformer:
    def __init__(self, *, beam: int, cores: int) -> None:
        self._beam = beam
        self._chance = random.Random(0)
        self._folder = tempfile.TemporaryDirectory()
        _spec().save(self._folder.name)
        self._translator = ctranslate2.Translator(
            self._folder.name,
            device="cpu",
            compute_type="int8",
            inter_threads=cores,
            intra_threads=1,
        )

    def rate(self, lengths: Sequence[int], sizes: Sequence[int]) -> float:
        """Sentences a second; lengths and sizes: tokens of each source and of its translation.

        Sentences of one size are given in one call, all calls at once, so that all cores work.
        """
        by_size: dict[int, list[list[str]]] = {}
        for length, size in zip(lengths, sizes, strict=True):
            source = [f"t{self._chance.randrange(10, VOCABULARY)}" for _ in range(length)]
            by_size.setdefault(max(1, size), []).append(source)
        began = time.perf_counter()
        waiting = [
            result
            for size, sources in sorted(by_size.items())
            for result in self._translator.translate_batch(
                sources,
                beam_size=self._beam,
                max_batch_size=32,
                min_decoding_length=size,
                max_decoding_length=size,
                asynchronous=True,
            )
        ]
        for result in waiting:
            result.result()
        return len(lengths) / (time.perf_counter() - began)


def _spec() -> TransformerSpec:
    """The model with a random value in each weight."""
    spec = TransformerSpec.from_config((LAYERS, LAYERS), HEADS)
    chance = np.random.default_rng(0)

    def linear(target: object, outputs: int, inputs: int) -> None:
        target.weight = chance.normal(0, 0.02, (outputs, inputs)).astype(np.float32)  # type: ignore[attr-defined]
        target.bias = np.zeros(outputs, np.float32)  # type: ignore[attr-defined]

    def norm(target: object) -> None:
        target.gamma = np.ones(WIDTH, np.float32)  # type: ignore[attr-defined]
        target.beta = np.zeros(WIDTH, np.float32)  # type: ignore[attr-defined]

    def inner(ffn: object) -> None:
        norm(ffn.layer_norm)  # type: ignore[attr-defined]
        linear(ffn.linear_0, INNER, WIDTH)  # type: ignore[attr-defined]
        linear(ffn.linear_1, WIDTH, INNER)  # type: ignore[attr-defined]

    def table() -> np.ndarray:
        return chance.normal(0, 0.02, (VOCABULARY, WIDTH)).astype(np.float32)

    for layer in spec.encoder.layer:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
        linear(layer.self_attention.linear[1], WIDTH, WIDTH)
        inner(layer.ffn)
    for layer in spec.decoder.layer:
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
        linear(layer.self_attention.linear[1], WIDTH, WIDTH)
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], WIDTH, WIDTH)
        linear(layer.attention.linear[1], 2 * WIDTH, WIDTH)
        linear(layer.attention.linear[2], WIDTH, WIDTH)
        inner(layer.ffn)
    positions = chance.normal(0, 0.02, (512, WIDTH)).astype(np.float32)
    spec.encoder.embeddings[0].weight = table()
    spec.decoder.embeddings.weight = table()
    spec.encoder.position_encodings.encodings = positions
    spec.decoder.position_encodings.encodings = positions
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    linear(spec.decoder.projection, VOCABULARY, WIDTH)
    words = ["<unk>", "<s>", "</s>", *(f"t{number}" for number in range(3, VOCABULARY))]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.validate()
    spec.optimize(quantization="int8")
    return spec
