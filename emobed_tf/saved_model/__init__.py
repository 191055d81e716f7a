"""A run as a SavedModel: signatures, versions, manifest, warm-up."""
