"""LitServe with ONNX Runtime: a worker process a core, no batches. No log, no photo kept.

Run by `python -m benchmarks.peers.litserve_onnx`, on PORT.
"""

import os
from pathlib import Path

import litserve
import numpy as np
from fastapi import Request

from ml.inference import Answer, OnnxEngine
from ml.photos import decode_photo


class Photos(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.engine = OnnxEngine(Path(os.environ["MODEL"]))
        self.engine.warm_up()

    def decode_request(self, request: Request) -> np.ndarray:
        return decode_photo(request["image"].file.read()).pixels

    def predict(self, pixels: np.ndarray) -> Answer:
        return self.engine.predict(pixels)

    def encode_response(self, answer: Answer) -> dict[str, object]:
        return {"answer": answer.answer, "probabilities": dict(answer.probabilities)}


if __name__ == "__main__":
    server = litserve.LitServer(
        Photos(), accelerator="cpu", workers_per_device=os.cpu_count() or 1, timeout=60
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
