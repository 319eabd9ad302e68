"""What ``jsmsso customers`` and ``jsmsso sessions`` do, one file a subject."""
