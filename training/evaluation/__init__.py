"""How good a bundle is: calibration, behaviour, perturbed test sets, sentence agreement; the shape of scores.

Everything is measured on the answers of a loaded bundle, so on the code and the file that serve. Not here: the
scores of one task (`training/tasks/<task>/scores.py`), and the commands that print them.
"""
