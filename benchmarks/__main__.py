"""Run one benchmark by name with its options, or all of them as they stand."""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def main(arguments: list[str]) -> int:
    """Run a benchmark, or all of them; give 2 for a name that is not there."""
    if arguments and arguments[0] not in NAMES:
        print(f"no benchmark {arguments[0]!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in arguments[:1] or NAMES:
        import_module(f"benchmarks.{name}").main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
