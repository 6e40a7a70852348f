"""Sentiment of a text and of its sentences: the task (task.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""
