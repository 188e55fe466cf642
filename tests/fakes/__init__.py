"""Stand-ins for the ports, and small real files, shared by the tests."""
