"""Where shipped figures come from: commands that measure, or derive, and write data files.

Nothing here is imported by the simulator.
"""
