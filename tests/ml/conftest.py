"""One real training run on drawn photos, shared by the tests that look at what comes out."""

from types import SimpleNamespace

import pytest

from tests.ml.drawn import draw_folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder, root and cache of a run, its card and what it said."""
    pytest.importorskip("keras", reason="training is not installed")
    from ml.training import TrainConfig, train_version

    place = tmp_path_factory.mktemp("trained")
    folder = draw_folder(place / "photos")
    (folder / "rings" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    said = []
    card = train_version(folder, place / "models", place / "cache", TrainConfig(), say=said.append)
    return SimpleNamespace(
        folder=folder,
        models=place / "models",
        cache=place / "cache",
        card=card,
        version=place / "models" / card.version,
        said=said,
    )
