"""Serving frameworks side by side on one core; `../run.py` is the command."""
