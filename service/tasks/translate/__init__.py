"""Translation: the task (task.py), its beam search, what its network cannot spell, and language detection.

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""
