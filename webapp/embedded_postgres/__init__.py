"""Django's PostgreSQL backend over the PostgreSQL that comes with Earmark: started when first needed."""
