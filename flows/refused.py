"""Why nothing was published."""


class Refused(Exception):
    """Nothing was published: ``reasons`` says why, one line each."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
