"""Attacks on the runtime, each with the answer that it must get."""
