"""What stands between the use cases and the world: files, the journal, rules, FIX."""
