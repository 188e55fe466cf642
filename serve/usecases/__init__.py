"""What the desk can ask for: recommend, override, look up, run an RFQ."""
