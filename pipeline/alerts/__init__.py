"""Alerts: what was to be expected, what is above it, and who hears of it."""
