"""Make a version whose networks compute in single precision, of one that computes in 8 bits.

    python -m benchmarks.single_precision VERSION FOLDER

Each network is exported anew from its Keras file. Heads and thresholds were fitted to the 8 bits:
it is there for its speed, not for its answers. Needs the training parts.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from ml.export import KERAS, load_keras_version, to_onnx
from ml.registry import NETWORK, SECOND, load_card, save_version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", type=Path, help="a version's folder")
    parser.add_argument("folder", type=Path, help="to be made")
    options = parser.parse_args()
    card = load_card(options.version)
    files = {name: (options.version / name).read_bytes() for name in card.files}
    kept = {NETWORK: KERAS, SECOND: "second.keras"}
    for network in card.networks:
        files[network] = to_onnx(load_keras_version(options.version, kept[network]))
    place, name = options.folder.parent, options.folder.name
    save_version(place, replace(card, version=name), files)


if __name__ == "__main__":
    main()
