"""A classifier of bytes: tells questions from statements."""
