"""The rater's pages. GET never changes anything: what begins, continues, rates or ends comes by POST."""
