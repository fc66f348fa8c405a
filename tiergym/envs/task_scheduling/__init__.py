"""`tiergym/TaskScheduling-v0`: what a busy device runs next, and what it hands upward unrun."""
