"""The documentation, held to what the code says and does."""
