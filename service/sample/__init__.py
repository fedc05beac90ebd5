"""The sample data, its records, and the run that `serve --sample` makes of them."""
