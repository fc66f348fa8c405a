"""Deriving the shipped networks, devices and links from published data: see `__main__`."""
