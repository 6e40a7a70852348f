"""Parts of networks and the loop that fits them, the same for every task.

Here: layers, losses, batches, the training loop. Not here: the network of a task (`training/tasks`), and ONNX
(`training/export`). Knows no corpus and no bundle.
"""
