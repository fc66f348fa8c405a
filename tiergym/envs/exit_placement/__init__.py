"""ExitPlacement: after which block the terminal's exit and the edge's exit sit."""
