"""Corpora: reading, cleaning, and what is made of them before a training."""
