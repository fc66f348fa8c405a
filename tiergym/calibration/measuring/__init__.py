"""Measuring the machine at hand: seconds of stages, jitter, parameter loads, and links.

`subjects` says what is run, `timing` runs it, `fitting` turns seconds into the parts of a device
profile and tells how well these predict what was left out, `machine` tells how quiet it was,
`sockets` measures a link to another host, `profiles` writes it all down.
"""
