"""What a network can start from instead of random weights, learned from plain text: vectors, language models.

Here: learning, reading and copying them into a network. Not here: labels, and the warm start of a translator
from a published one (`training/tasks/translate`).
"""
