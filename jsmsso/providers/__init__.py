"""One small file per provider type: what to ask, endpoints, defaults and quirks, as data where data will do."""
