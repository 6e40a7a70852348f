"""Faults that are tried on the real service: what callers may send, and what may break.

Each is a function that brings one about and says what it saw; watch.py sees what becomes of others meanwhile.
Leaves out the speed of the service when nothing is wrong (the rest of benchmarks/).
"""
