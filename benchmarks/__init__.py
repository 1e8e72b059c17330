"""Long proofs and measured speeds: `make prove` runs them all and prints what it measured, asserting no time."""
