"""The options of a command that trains, without importing what training takes."""

from argparse import ArgumentParser
from pathlib import Path

WHAT_IT_DOES = (
    "Trains on DIR, which has one sub-folder of photos per label, two labels or many: looks at "
    "each photo once (features are kept), fits a head, calibrates it, scores it on photos it never "
    "saw, exports it and saves it with its checksums, figures and model card. Nothing in DIR is "
    "changed."
)


def add_arguments(parser: ArgumentParser, default_data: Path) -> None:
    """What `ml.training.config_from` and `about_from` read, and where the data are."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=default_data,
        help="a sub-folder per label, or what prepare_data wrote; default: %(default)s",
    )
    parser.add_argument(
        "--architecture",
        metavar="NAME",
        default="efficientnet-lite0",
        help="efficientnet-lite0, -lite1 or -lite2 begin with ImageNet's weights, small-xception "
        "and pawnet with nothing; default: %(default)s",
    )
    parser.add_argument(
        "--second-look",
        action="store_true",
        help="train a larger network too, to be asked about the photos that the first one is not "
        "sure of: more often right, for a second network to be stored and loaded",
    )
    parser.add_argument(
        "--int8",
        choices=("first", "second", "both"),
        help="which network is to compute in whole numbers of 8 bits, in half the time",
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--data-name", metavar="TEXT", help="what the data are, for the card")
    parser.add_argument("--data-terms", metavar="TEXT", help="the photos' terms, for the card")
    parser.add_argument("--dry-run", action="store_true", help="do all of it but save nothing")
