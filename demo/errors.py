"""What stops the demo."""


class DemoError(Exception):
    """The demo cannot go on; one line for the person who watches."""
