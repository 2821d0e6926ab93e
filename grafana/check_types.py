"""Type-check the dashboards against Grafana's own types: python -m grafana.check_types

It needs node and npm, and fetches two packages into a temporary folder; CI has neither, so this is
run by hand when a dashboard changes. What CI holds is in tests/grafana/test_dashboards.py.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from grafana.build import DASHBOARDS, HERE

_PACKAGES = ("@grafana/schema@13.2.3", "typescript@5.9.3")
_COMPOSABLE = "@grafana/schema/dist/esm/raw/composable"

# JSON has strings where the types have enumerations. Queries and variables are open: each data
# source and each kind of variable has fields of its own. Options and what is drawn belong to the
# panel's kind.
_TYPES = f"""
import type {{ Dashboard, DataQuery, Panel, VariableModel }} from '@grafana/schema';
import type * as bars from '{_COMPOSABLE}/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as stat from '{_COMPOSABLE}/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '{_COMPOSABLE}/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as lines from '{_COMPOSABLE}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string ? `${{T}}`
  : T extends DataQuery | VariableModel
    ? {{ [K in keyof T]: Plain<T[K]> }} & Record<string, unknown>
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? {{ [K in keyof T]: Plain<T[K]> }}
  : T;
type Config<C> = Omit<Plain<NonNullable<Panel['fieldConfig']>>, 'defaults'> & {{
  defaults: Omit<Plain<NonNullable<Panel['fieldConfig']>['defaults']>, 'custom'>
    & {{ custom?: Partial<Plain<C>> }};
}};
type Of<Kind extends string, Options, C> = Omit<Plain<Panel>, 'type' | 'options' | 'fieldConfig'>
  & {{ type: Kind; options: Partial<Plain<Options>>; fieldConfig: Config<C> }};
type Ours = Of<'stat', stat.Options, {{}}> | Of<'timeseries', lines.Options, lines.FieldConfig>
  | Of<'barchart', bars.Options, bars.FieldConfig> | Of<'table', table.Options, table.FieldConfig>;
export type OurDashboard = Omit<Plain<Dashboard>, 'panels'> & {{ panels: Ours[] }};
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        (folder / "types.ts").write_text(_TYPES)
        for uid in DASHBOARDS:
            text = (HERE / "dashboards" / f"{uid}.json").read_text(encoding="utf-8").rstrip()
            (folder / f"{uid}.ts").write_text(
                "import type { OurDashboard } from './types.ts';\n"
                f"export const dashboard: OurDashboard = {text};\n"
            )
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", *_PACKAGES]
        subprocess.run(install, cwd=folder, check=True)  # noqa: S603
        options = ["--strict", "--noEmit", "--skipLibCheck", "--allowImportingTsExtensions"]
        options += ["--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022"]
        files = sorted(path.name for path in folder.glob("*.ts"))
        tsc = [str(folder / "node_modules" / ".bin" / "tsc"), *options, *files]
        return subprocess.run(tsc, cwd=folder, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
