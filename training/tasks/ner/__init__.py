"""A tagger: finds names in text (BiLSTM with a character CNN and a CRF)."""
