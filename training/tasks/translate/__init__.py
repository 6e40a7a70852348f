"""A translator: a GRU encoder-decoder with attention over subwords, for one pair of languages."""
