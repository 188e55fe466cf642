"""The back-test: past RFQs scored by what was known before them, with the code of the desk. Nothing here changes anything else."""
