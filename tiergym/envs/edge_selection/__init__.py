"""EdgeSelection: which edge a terminal attaches to, and when it moves."""
