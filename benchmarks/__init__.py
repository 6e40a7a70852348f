"""What TextLoom claims, measured so that anyone can measure it again."""
