"""Files with one row an answer, the same columns in CSV, JSONL and Parquet: what an export writes and an import reads.

`columns.py` says what the columns are and where their values lie; `cells.py` how a value stands in a CSV cell;
`writing.py` and `reading.py` know the formats. No database is touched here.
"""
