"""Where data comes from: one module per kind of source. ``pull`` does the I/O and says what there is to land."""
