"""The review of one dealer: its own figures over some days beside those of nameless peers."""
