"""House rules: what no single test of behaviour would notice going astray."""
