"""One suite per data set. Each check's description names the harm it prevents."""
