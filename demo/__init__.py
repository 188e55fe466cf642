"""The demo: one trip round the loop on a synthetic market, told as it happens. Composes all the parts."""
