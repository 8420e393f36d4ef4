"""BigQuery as a warehouse: asked through DuckDB over Storage Read sessions, written by one script a run."""
