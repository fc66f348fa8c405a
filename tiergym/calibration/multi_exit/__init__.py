"""Multi-exit networks that are really trained, and the exit tables measured on them.

Needs torch (`pip install tiergym[calibration]`), which is imported nowhere else in tiergym but
where Stable-Baselines3 brings it. `python -m tiergym.calibration.networks` is the command.

`images` reads data, `families` defines networks, `schemes` says what is trained when, `training`
trains and resumes, `tables` measures exits, `counting` counts macs and sizes, `running` runs a
network cut in three with exits, `shipping` writes what tiergym.networks loads.
"""
