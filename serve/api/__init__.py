"""The HTTP surface: decode, call the use case, return."""
