"""Why a use case will not do what it was asked: told to the caller as it stands, so it names what to do."""


class Refusal(Exception):
    """``slug`` is the problem's type, ``field`` the bad field of the request (``None`` = the request as a whole)."""

    status = 422

    def __init__(self, slug: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.slug, self.detail, self.field = slug, detail, field
        # (place, what is wrong) where there is more than one thing to say; goes before ``field``.
        self.errors: list[tuple[str, str]] = []


class NotThere(Refusal):
    """What was asked for does not exist, or is not the caller's to see."""

    status = 404


class NotReady(Refusal):
    """The service lacks what it takes to answer; trying again later may help."""

    status = 503


class Conflict(Refusal):
    """What was asked for does not fit the state of things: it was done before, or it is too late."""

    status = 409


class NotAllowed(Refusal):
    """The caller's role would do, but not this person for this thing."""

    status = 403
