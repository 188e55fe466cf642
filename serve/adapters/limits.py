"""The desk's limits, read from ``config/limits.yml``."""

from pathlib import Path

import msgspec
import yaml

from serve.domain.limits import Limits


class LimitsError(ValueError):
    """Limits that cannot be used, with file, field and reason."""


def load_limits(path: Path) -> Limits:
    """Read the limits. Raises LimitsError: a desk without limits does not start."""
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Limits)
    except OSError as error:
        msg = f"the limits {path} cannot be read: {error.strerror}; set SOTTO_CONFIG to the folder that holds them"
        raise LimitsError(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"the limits {path} are not valid YAML: {' '.join(str(error).split())}"
        raise LimitsError(msg) from error
    except msgspec.ValidationError as error:
        msg = f"the limits {path}: {error}"
        raise LimitsError(msg) from error
