"""The translator's network: a GRU encoder-decoder with attention over shared subwords (Bahdanau et al. 2015).

The decoder has two layers: the first reads the last token and queries the attention, the second reads the answer
(as in Wu et al. 2016). So attention needs no loop of its own: in training all steps of a layer run at once.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nn.batches import mask
from training.nn.cross_entropy import projected_cross_entropy
from training.nn.layers import Attention, RecurrentStack, VariationalDropout
from training.tasks.translate.config import Architecture


class Network(nn.Module):
    """Shapes: source [batch, S], target [batch, T], memory [batch, S, 2 * hidden]."""

    def __init__(self, options: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=options.embedding**-0.5)
        self.encoder = RecurrentStack(
            options.embedding,
            options.hidden,
            cell="gru",
            layers=options.layers,
            bidirectional=True,
            merge="concat",
            dropout=options.dropout,
            residual=True,
        )
        memory, decoder = self.encoder.outputs, options.decoder
        self.bridge = nn.Linear(self.encoder.last_outputs, 2 * decoder)
        self.first = RecurrentCell(options.embedding, decoder)
        self.attention = Attention(decoder, memory)
        self.second = RecurrentCell(decoder + memory, decoder)
        self.readout = nn.Linear(decoder + memory + options.embedding, options.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.variational_dropout = VariationalDropout(options.dropout)
        self.dropout = nn.Dropout(options.dropout)
        self.scale = options.embedding**0.5

    def encode(
        self, source: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Keys, memory and the first states of the decoder's two layers [batch, decoder]."""
        embedded = self._embedded(source)
        memory, last = self.encoder(embedded, lengths)
        state1, state2 = torch.tanh(self.bridge(last)).chunk(2, dim=-1)
        return self.attention.keys(memory), memory, (state1, state2)

    def decode(
        self,
        target: Tensor,
        states: tuple[Tensor, Tensor],
        keys: Tensor,
        memory: Tensor,
        real: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What each step has read [batch, T, embedding], and the states after the last step."""
        embedded = self._embedded(target)
        first, state1 = self.first(embedded, states[0])
        context = self.attention(first, keys, memory, real)
        second, state2 = self.second(torch.cat([first, context], -1), states[1])
        read = torch.tanh(self.readout(torch.cat([second, context, embedded], -1)))
        return self.dropout(read), (state1, state2)

    def _embedded(self, ids: Tensor) -> Tensor:
        embedded = self.embedding(ids) * self.scale
        if torch.is_autocast_enabled(ids.device.type):  # which leaves sums and copies as they are
            embedded = embedded.to(torch.get_autocast_dtype(ids.device.type))
        return self.variational_dropout(embedded)

    def logits(self, read: Tensor) -> Tensor:
        return functional.linear(read, self.embedding.weight, self.bias)

    def loss(
        self,
        source: Tensor,
        lengths: Tensor,
        target: Tensor,
        target_lengths: Tensor,
        smoothing: float,
        sampled: float = 1.0,
    ) -> Tensor:
        """Mean cross-entropy of a target token; `target` starts with BOS and ends with EOS.

        sampled: share of the subwords in no target that the softmax sums over.
        """
        keys, memory, states = self.encode(source, lengths)
        real = mask(lengths, source.shape[1])
        read, _ = self.decode(target[:, :-1], states, keys, memory, real)
        wanted = mask(target_lengths - 1, target.shape[1] - 1)
        return projected_cross_entropy(
            read[wanted],
            self.embedding.weight,
            self.bias,
            target[:, 1:][wanted],
            smoothing,
            sampled,
        )


class RecurrentCell(nn.Module):
    """One forward GRU layer that starts from a given state."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.stack = RecurrentStack(
            inputs, hidden, cell="gru", layers=1, bidirectional=False, merge="concat"
        )

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, time, inputs] -> [batch, time, hidden], state after the last step [batch, hidden]."""
        outputs, last = self.stack.forwards[0](x, state[None].contiguous())
        return outputs, last[0]
