"""Vendors that are services rather than files."""
