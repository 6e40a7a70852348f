"""From files to examples: corpora, the rules that reconcile them, tokenizers and vocabularies, and made-up data.

Here: what is text or labels. Not here: tensors and batches (`training/nn`), and what is learned from plain text
(`training/pretraining`).
"""
