"""What data must look like: the contracts, the suites, and the gate that stands before publishing."""
