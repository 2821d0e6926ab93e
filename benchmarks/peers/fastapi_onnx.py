"""FastAPI with ONNX Runtime: a plain function, which FastAPI runs in its pool of threads.

Run by `uvicorn benchmarks.peers.fastapi_onnx:app`. No log, no photo kept.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, UploadFile

from ml.inference import OnnxEngine
from ml.photos import decode_photo

engine = OnnxEngine(Path(os.environ["MODEL"]))
engine.warm_up()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # Forty threads, the default, would contend for two cores.
    current_default_thread_limiter().total_tokens = 4
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(image: UploadFile) -> dict[str, object]:
    answer = engine.predict(decode_photo(image.file.read()).pixels)
    return {"answer": answer.answer, "probabilities": dict(answer.probabilities)}
