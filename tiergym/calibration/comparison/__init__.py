"""The training schemes compared on the smallest architecture, over seeds.

`variants` says what is trained, `evidence` keeps the exit tables of every run (shipped with the
package), `serving` sends them through the simulator, `findings` draws intervals and verdict.
"""
