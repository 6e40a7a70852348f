"""The translator's training: pairs to examples, the network, its graphs."""
