"""The commands of `python -m training`, one file each: its options, and the steps that no other module needs.

Not here: what more than one command does, and how a task trains (`training/tasks`). No command imports another.
"""
