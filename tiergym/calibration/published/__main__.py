"""Write the data files of `tiergym.networks`, `tiergym.devices` and `tiergym.links`.

``python -m tiergym.calibration.published --data ../shared/data`` derives all of them from the raw
tables in that folder and from the records that the measuring commands of `tiergym.calibration`
left. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from tiergym.calibration.published import nasbench, ncnn, nexus, priced_devices, radios
from tiergym.calibration.records import write_yaml
from tiergym.shipped import data_folder

Records = Mapping[str, Mapping[str, object]]


def derive(data: Path) -> dict[str, Records]:
    """Records by package ("networks", "devices", "links") and name."""
    nasbench_table = nasbench.read(data / "nasbench201-latency.npz")
    return {
        "networks": {
            **nexus.networks(),
            **ncnn.networks(),
            **nasbench.networks(nasbench_table),
        },
        "devices": {
            **nexus.devices(data / "nexus-batch-latency.csv"),
            **priced_devices.devices(nasbench_table, data / "ncnn-latency.csv"),
        },
        "links": radios.links(),
    }


def main() -> None:
    """Derive and write all files; print how well each device's prices hold."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the raw tables")
    parser.add_argument("--out", type=Path, help="folder to write to, instead of the package")
    arguments = parser.parse_args()
    header = "Written by `python -m tiergym.calibration.published`; change that, not this file."
    for package, records in derive(arguments.data).items():
        folder = data_folder(package) if arguments.out is None else arguments.out / package
        for name, record in records.items():
            write_yaml(folder / f"{name}.yaml", record, header)
            print(folder / f"{name}.yaml")
    print(priced_devices.report(arguments.data))


if __name__ == "__main__":
    main()
