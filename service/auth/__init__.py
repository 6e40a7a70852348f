"""Authentication: API keys, their quotas, and the second port.

Here belongs who may send a request, and how many. Each part is off until its setting is given. Leaves out limits
that hold for every caller (http/limits.py).
"""
