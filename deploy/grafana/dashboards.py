"""The dashboards, as code: `python -m deploy.grafana.dashboards` writes them into dashboards/ beside it.

service.py tells whether the service is well, models.py whether its models still see what they were made for, and
panels.py how a panel looks.
"""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import models, service

FOLDER = Path(__file__).with_name("dashboards")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for made in (service.dashboard(), models.dashboard()):
        built = made.build()
        text = json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True)
        (folder / f"{built.uid}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
