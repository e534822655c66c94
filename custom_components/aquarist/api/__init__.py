"""The surfaces for programs: what they are told, what they may ask, and in which words."""
