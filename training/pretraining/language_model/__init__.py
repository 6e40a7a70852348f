"""A language model of plain text, from whose layer, vectors and character CNN a tagger or classifier starts."""
