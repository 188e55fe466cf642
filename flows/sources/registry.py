"""The kinds of source there are."""

from collections.abc import Callable, Iterable

from flows.sources import files, journal, nyfed_tsy, rest, sql
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled, SourceError

KINDS: dict[str, Callable[[SourceConfig], Iterable[Pulled]]] = {
    "canonical": files.pull,
    "files": files.pull_files,
    "journal": journal.pull,
    "nyfed_tsy": nyfed_tsy.pull,
    "rest": rest.pull,
    "sql": sql.pull,
}


def pull(source: SourceConfig) -> list[Pulled]:
    """Pull one source. Raises SourceError when its kind is unknown or its data cannot be read."""
    if source.kind not in KINDS:
        raise SourceError(f"source {source.name!r}: unknown kind {source.kind!r}; there are {', '.join(sorted(KINDS))}")
    try:
        return list(KINDS[source.kind](source))
    except SourceError as error:
        if str(error).startswith("source "):
            raise
        raise SourceError(f"source {source.name!r}: {error}") from error.__cause__
    except OSError as error:
        raise SourceError(f"source {source.name!r}: {error.filename}: {error.strerror}") from error
