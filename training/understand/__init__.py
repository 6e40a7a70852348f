"""The pictures of the documentation's chapter "Understand" (`docs/understand`), one module each.

Each trains small networks of this project's own layers (`training/nn`), in seconds on one core, and draws
what they learnt. A module has its options (`Config`) and the function `draw`, which `python -m training compare`
calls.

Not here: trainings on a user's data (`training/tasks`), and anything that is served.
"""
