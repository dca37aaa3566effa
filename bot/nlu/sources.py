"""What a trained component depends on beside its own source, which is all that Rasa looks at."""

import hashlib
from pathlib import Path
from types import ModuleType

from bot.nlu import cues, features, normaliser, pipeline, sentiment

_SHARED = (cues, features, normaliser, pipeline, sentiment)
_TABLES = (cues.TABLE, sentiment.TABLE)


def fingerprint(*modules: ModuleType) -> str:
    """Give a digest that changes whenever a component must learn anew.

    Args:
        modules: What the component uses beside the pipeline.

    Returns:
        Of the sources of the modules, of the pipeline, and of its tables.
    """
    digest = hashlib.sha256()
    for module in (*modules, *_SHARED):
        digest.update(Path(str(module.__file__)).read_bytes())
    for table in _TABLES:
        digest.update(table.read_bytes())
    return digest.hexdigest()
