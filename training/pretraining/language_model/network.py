"""The language model: one recurrent layer in both directions, each of which predicts words from their vectors.

Both directions predict through the vectors of the words that they read (Press and Wolf 2017), so these are learned
as well. Character CNN and layer have the names that they have in a tagger, which takes them over.
"""

import torch
from torch import Tensor, nn

from training.nn.batches import mask
from training.nn.layers import CharCNN, RecurrentStack, VariationalDropout
from training.nn.words import UNKNOWN, drop_words
from training.pretraining.language_model.config import Architecture


class Network(nn.Module):
    """Shapes: words [batch, time], characters of the distinct words [distinct, characters],
    which of these each word is [batch, time]."""

    def __init__(self, options: Architecture, vocabulary: int, alphabet: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.char_cnn: CharCNN | None = None
        if options.character_filters:
            self.char_cnn = CharCNN(
                alphabet, options.character_embedding, options.character_filters
            )
        self.stack = RecurrentStack(
            options.embedding + options.character_filters,
            options.hidden,
            cell=options.cell,
            layers=1,
            bidirectional=True,
            merge="concat",
        )
        self.ahead = nn.Linear(options.hidden, options.embedding)
        self.behind = nn.Linear(options.hidden, options.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.variational_dropout, self.dropout = (
            VariationalDropout(options.dropout),
            nn.Dropout(options.dropout),
        )
        self.word_dropout = options.word_dropout

    def forward(
        self, ids: Tensor, characters: Tensor, where: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predictions of all known words but at the ends, and these words: [words, embedding], [words]."""
        read = drop_words(ids, self.word_dropout) if self.training else ids
        x = self.embedding(read)
        if self.char_cnn:
            x = torch.cat([x, self.char_cnn(characters)[where]], -1)
        outputs, _ = self.stack(self.variational_dropout(x), lengths)
        ahead, behind = self.dropout(outputs).chunk(2, -1)
        following = mask(lengths, ids.shape[1])[:, 1:]
        later = following & (ids[:, 1:] != UNKNOWN)
        earlier = following & (ids[:, :-1] != UNKNOWN)
        predictions = [self.ahead(ahead[:, :-1][later]), self.behind(behind[:, 1:][earlier])]
        return torch.cat(predictions), torch.cat([ids[:, 1:][later], ids[:, :-1][earlier]])
