"""Named entities: the task (task.py) and the decoding of its CRF (crf.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""
