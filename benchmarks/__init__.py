"""What `make bench` measures: start-up, the runtime beside other gateways, one ID token. See docs/performance.md."""
