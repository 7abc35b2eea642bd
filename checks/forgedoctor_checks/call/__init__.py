"""One call to the API and its answer."""
