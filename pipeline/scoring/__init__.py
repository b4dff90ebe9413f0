"""Scoring: the one place that imports torch and transformers, inside functions."""
