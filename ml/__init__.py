"""Photos in, probabilities out: the learner and the engine, usable without Django."""

import os

# ONNX Runtime sends usage data to its makers, and keeps an identity for that in the home folder,
# unless this is set before it is imported. Nothing leaves a user's machine on our account.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
