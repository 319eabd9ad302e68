"""The runtime, as browsers and operators see it."""
