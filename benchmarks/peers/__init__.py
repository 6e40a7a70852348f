"""Other servers with the same bundles, each as its own documentation advises."""
