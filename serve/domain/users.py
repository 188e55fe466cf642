"""Who may do what: roles, and the person or system behind a token."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a token is for."""

    OMS = "oms"
    TRADER = "trader"
    QUANT = "quant"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


EVERYONE = tuple(Role)
SEES_EVERY_DESK = (Role.COMPLIANCE, Role.ADMIN)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The bearer of a valid token. ``desk`` names the desk whose recommendations and RFQs the bearer may see."""

    token_id: str
    name: str
    role: Role
    desk: str
    expires_at: datetime

    def may_see(self, desk: str) -> bool:
        """Say whether what belongs to ``desk`` may be shown: one's own desk, or any desk to those who audit."""
        return self.desk == desk or self.role in SEES_EVERY_DESK
