"""A trained model behind HTTP. No torch: only schema, artifacts and the runtime."""
