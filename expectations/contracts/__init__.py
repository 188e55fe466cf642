"""The contracts that flows and serve both keep: words, source tables, snapshot tables, journal events.

Imports the standard library, msgspec and numpy only, so that the service can hold these without the data platform.
"""
