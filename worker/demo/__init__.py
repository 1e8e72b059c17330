"""The demo: a test over generated sounds with simulated raters. Every page that shows it says "simulated"."""
