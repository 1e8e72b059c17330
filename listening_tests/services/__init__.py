"""What happens to the rows of collection: one verb a function, keyword-only arguments, one module a noun."""
