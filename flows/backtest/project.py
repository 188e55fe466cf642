"""Which measurement a back-test is: apart from what builds it, so that a mistake is told before dbt is imported."""

import hashlib

from flows.settings import FlowSettings


def project_hash(settings: FlowSettings) -> str:
    """Give a hash over the dbt project's files: another one is another measurement."""
    files = sorted(
        path for kind in ("sql", "yml", "csv") for path in settings.dbt_project.rglob(f"*.{kind}") if "target" not in path.parts
    )
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
