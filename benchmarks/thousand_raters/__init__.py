"""1,000 raters at once, each a rating about every 12 seconds, against the server of `make run`."""
