"""The models: what a bundle is, what the repository stores, and which of it is loaded and serves.

Here belong reading, checking, publishing and pinning of bundles, loading, hot swap and unloading of models. Leaves
out what a model computes (tasks/), when it computes (scheduling/) and HTTP.
"""
