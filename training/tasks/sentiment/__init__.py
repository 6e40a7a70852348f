"""A classifier: judges texts, or sorts them by labels of their own (recurrent layers, pooled over time)."""
