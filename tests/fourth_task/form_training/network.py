"""The network: the mean of embedded bytes, and a layer above it."""

from torch import Tensor, nn

from .config import Architecture


class Network(nn.Module):
    """Shapes: bytes [batch, time] int64, lengths [batch], logits [batch, labels]."""

    def __init__(self, options: Architecture, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(257, options.embedding, padding_idx=0)
        self.output = nn.Linear(options.embedding, labels)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        logits: Tensor = self.output(self.embedding(ids).sum(1) / lengths[:, None])
        return logits
