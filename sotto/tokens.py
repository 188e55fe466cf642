"""``sotto token``: API tokens."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from sotto.terminal import leave, out, refusing, settings_with

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")


@app.command("new")
def token_new(
    name: Annotated[str, typer.Option(help="Who or what bears it.")],
    role: Annotated[str, typer.Option(help="oms, trader, quant, compliance or admin.")],
    desk: Annotated[str, typer.Option(help="The desk whose orders it may see.")] = "main",
    days: Annotated[int, typer.Option(min=1, help="Days until it expires.")] = 90,
) -> None:
    """Make a token and print it, this once."""
    from serve.adapters.tokens import TokenFile, TokensBroken
    from serve.domain.users import Role

    if role not in list(Role):
        leave(f"--role {role!r} is not one of {', '.join(Role)}")
    with refusing(TokensBroken):
        secret = TokenFile(settings_with().state.tokens).create(name, Role(role), desk, timedelta(days=days))
    out.print(secret)


@app.command("rotate")
def token_rotate(
    token_id: Annotated[str, typer.Argument(help="As `sotto token list` shows it.")],
    days: Annotated[int, typer.Option(min=1, help="Days until the new one expires.")] = 90,
    overlap_hours: Annotated[int, typer.Option(min=0, help="Hours for which the old one still works.")] = 24,
) -> None:
    """Make a new token for the same bearer and print it, this once; the old one ends after the overlap."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    with refusing(TokensBroken):
        secret = TokenFile(settings_with().state.tokens).rotate(token_id, timedelta(days=days), timedelta(hours=overlap_hours))
    if secret is None:
        leave(f"there is no token {token_id!r}; `sotto token list` shows them")
    out.print(secret)


@app.command("list")
def token_list() -> None:
    """List tokens without their secrets."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    table = Table("id", "name", "role", "desk", "expires")
    with refusing(TokensBroken):
        for user in TokenFile(settings_with().state.tokens).listed():
            table.add_row(user.token_id, user.name, user.role, user.desk, f"{user.expires_at:%Y-%m-%d}")
    out.print(table)


@app.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(help="As `sotto token list` shows it.")]) -> None:
    """Take a token away; a running service refuses it from the next request on."""
    from serve.adapters.tokens import TokenFile, TokensBroken

    with refusing(TokensBroken):
        if not TokenFile(settings_with().state.tokens).revoke(token_id):
            leave(f"there is no token {token_id!r}; `sotto token list` shows them")
    out.print(f"{token_id} revoked")
