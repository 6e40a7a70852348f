"""From a trained network to a published bundle: ONNX graphs, their checks, golden examples, the card.

Here: what every task needs for it. Not here: the nodes of one task's graph (`training/tasks/<task>/graph.py`), and
what a bundle is (`service`).
"""
