"""Scheduling: which requests are accepted, which windows make a batch, and when and where it is computed.

Here belongs what orders work. A window is anything with a length in tokens: no task, no text and no HTTP comes in
here.
"""
