"""Learned policies: training them with Stable-Baselines3, keeping them, and playing them."""
