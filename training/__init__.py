"""The offline half: trains the networks in PyTorch and publishes them as bundles."""
