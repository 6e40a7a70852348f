"""One package for each task, with the same file names in each; none imports another.

Here: a task's options (`config.py`), network (`network.py`), training (`train.py`), ONNX graphs (`graph.py`),
scores (`scores.py`), and what no other task has. Not here: what two tasks share.
"""
