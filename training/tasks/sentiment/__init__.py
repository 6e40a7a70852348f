"""The classifier: judges the sentiment of a text (recurrent layers, pooled over time)."""
