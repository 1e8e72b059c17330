"""What the API offers, a module a noun: each with how its rows are told, and its views."""
