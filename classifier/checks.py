"""What a start cannot know by itself, said before the first request: `manage.py check`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from PIL import features


@register
def photos_can_be_decoded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Pillow may have been built without a format that we promise to accept."""
    missing = [name for name in ("jpg", "zlib", "webp", "avif") if not features.check(name)]
    if not missing:
        return []
    return [
        Error(
            f"This Pillow cannot decode: {', '.join(missing)}.",
            hint="Install Pillow from its wheel: pip install --force-reinstall pillow",
            id="classifier.E001",
        )
    ]


@register
def a_version_is_there(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without a version the site starts, and answers every photo with 503."""
    if any(settings.MODELS_DIR.glob("*/card.json")):
        return []
    return [
        Warning(
            f"There is no version under {settings.MODELS_DIR.name}/: no photo can be answered.",
            hint="manage.py train_model, then manage.py register_models",
            id="classifier.W001",
        )
    ]
