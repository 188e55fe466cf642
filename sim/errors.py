"""What goes wrong on a user's mistake: one line that says what, where and what to do."""


class SimulationError(ValueError):
    """A wish that cannot be simulated, or files that are not what they should be."""
