"""The tagger's network: words and their characters through recurrent layers to the CRF (Ma and Hovy 2016)."""

import torch
from torch import Tensor, nn

from training.nn.crf import CRF
from training.nn.layers import CharCNN, RecurrentStack, VariationalDropout
from training.nn.words import drop_words
from training.tasks.ner.config import Architecture


class Network(nn.Module):
    """Shapes: words [batch, time], characters of the distinct words [distinct, characters],
    which of these each word is [batch, time], emissions [batch, time, tags]."""

    def __init__(
        self, options: Architecture, vocabulary: int, alphabet: int, tags: list[str], *, seen: int
    ) -> None:
        """seen: words with a lower id are in the training texts."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.embedding.requires_grad_(False)
        self.change: nn.Embedding | None = None
        """What training adds to the vectors of the words seen, so that no step updates the whole table."""
        if not options.fixed_vectors:
            self.change = nn.Embedding(seen, options.embedding)
            nn.init.zeros_(self.change.weight)
        self.char_cnn = CharCNN(alphabet, options.character_embedding, options.character_filters)
        self.stack = RecurrentStack(
            options.embedding + options.character_filters,
            options.hidden,
            cell=options.cell,
            layers=options.layers,
            bidirectional=options.bidirectional,
            merge=options.merge,
            dropout=options.dropout,
        )
        self.output = nn.Linear(self.stack.outputs, len(tags))
        self.crf = CRF(tags)
        self.dropout = nn.Dropout(options.dropout)
        self.variational_dropout = VariationalDropout(options.dropout)
        self.word_dropout = options.word_dropout
        self.word_characters = options.word_characters
        self.temperature: Tensor
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, ids: Tensor, characters: Tensor, where: Tensor, lengths: Tensor) -> Tensor:
        return self.tag(ids, self.char_cnn(characters)[where], lengths)

    def look_up(self, ids: Tensor) -> Tensor:
        """The vectors of words [batch, time, embedding]."""
        vectors: Tensor = self.embedding(ids)
        if self.change is None:
            return vectors
        seen = ids < self.change.num_embeddings
        return vectors + self.change(ids * seen) * seen[..., None]

    def merge_change(self) -> None:
        """Adds what was learned to the table of vectors, which is what a graph holds; they learn no more."""
        if self.change is not None:
            self.embedding.weight.data[: self.change.num_embeddings] += self.change.weight.data
            self.change = None

    def tag(self, ids: Tensor, character_features: Tensor, lengths: Tensor) -> Tensor:
        """Emissions from words [batch, time] and features of their characters [batch, time, filters]."""
        ids = drop_words(ids, self.word_dropout) if self.training else ids
        x = self.variational_dropout(torch.cat([self.look_up(ids), character_features], -1))
        outputs, _ = self.stack(x, lengths)
        emissions: Tensor = self.output(self.dropout(outputs))
        return emissions
