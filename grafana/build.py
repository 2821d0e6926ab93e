"""Write what Grafana reads: python -m grafana.build

The dashboards and the alert rules are made from the modules beside this one; the rest of
provisioning/ is kept by hand.
"""

import json
from pathlib import Path

from grafana.alerts import rules
from grafana.drift import DRIFT
from grafana.feedback import FEEDBACK
from grafana.quality import QUALITY
from grafana.service import SERVICE

HERE = Path(__file__).resolve().parent
DASHBOARDS = {each["uid"]: each for each in (SERVICE, QUALITY, DRIFT, FEEDBACK)}


def files() -> dict[Path, str]:
    """Path to text of all that is made."""
    made = {HERE / "dashboards" / f"{uid}.json": each for uid, each in DASHBOARDS.items()}
    # Grafana takes JSON for YAML here.
    made[HERE / "provisioning" / "alerting" / "rules.json"] = rules(DASHBOARDS)
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for path, content in made.items()
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
