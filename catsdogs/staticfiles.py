"""Static files under names that change with their content, our modules' imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

_OURS = ("classify/*.js", "frame/*.js", "history.js")
# Django's own, which follow import and export; for all scripts they would stumble over others'.
_, _IMPORTS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, which also hashes what one of our scripts imports from another."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        *((ours, _IMPORTS) for ours in _OURS),
    )
