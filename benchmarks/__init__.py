"""Measurements with their commands: ``python -m benchmarks NAME``; each module has a ``main()``."""
