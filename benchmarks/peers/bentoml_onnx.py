"""BentoML with ONNX Runtime: a worker process a core. No log, no photo kept.

Run by `bentoml serve benchmarks.peers.bentoml_onnx:Photos`.
"""

import os
from pathlib import Path

import bentoml

from ml.inference import OnnxEngine
from ml.photos import decode_photo


@bentoml.service(
    workers=os.cpu_count() or 1, traffic={"timeout": 60}, logging={"access": {"enabled": False}}
)
class Photos:
    def __init__(self) -> None:
        self.engine = OnnxEngine(Path(os.environ["MODEL"]))
        self.engine.warm_up()

    @bentoml.api(route="/predict")
    def predict(self, image: Path) -> dict[str, object]:
        answer = self.engine.predict(decode_photo(image.read_bytes()).pixels)
        return {"answer": answer.answer, "probabilities": dict(answer.probabilities)}
