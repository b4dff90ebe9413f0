"""Evaluation of the model: the tables of the model card, each printed by one command."""
