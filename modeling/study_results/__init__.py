"""What the answers to one question say: of pairs, captions and systems, and how far they can be trusted.

docs/RESULTS.md tells what each number and interval means and where its formula is from. numpy and scipy; statsmodels
for the mixed model alone. No Django.
"""
