"""FastAPI with Keras' `model.predict`, the way this project's ancestor works: one network, no log.

Run by `uvicorn benchmarks.peers.fastapi_keras:app`.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import keras
import numpy as np
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, UploadFile

from ml.photos import decode_photo, fit

folder = Path(os.environ["MODEL"])
card = json.loads((folder / "card.json").read_text())
model = keras.models.load_model(folder / "model.keras")


def ask(photo: np.ndarray) -> np.ndarray:
    """Probabilities of a photo's labels."""
    outputs = model.predict(photo[np.newaxis], verbose=0)
    exponents = np.exp(outputs["logits"][0] / card["temperature"])
    return exponents / exponents.sum()


ask(np.full((card["side"], card["side"], 3), 127, np.uint8))


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = 4
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(image: UploadFile) -> dict[str, object]:
    photo = fit(decode_photo(image.file.read()).pixels, card["side"])
    probabilities = map(float, ask(photo))
    return {"probabilities": dict(zip(card["labels"], probabilities, strict=True))}
