"""The tasks that can be trained, a package each."""
