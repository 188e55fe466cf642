"""``python -m sotto``: the command without its script."""

from sotto import main

main()
