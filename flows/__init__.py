"""Prefect flows: pull, land, build, fit, gate, publish. Thin shells over plain functions."""
