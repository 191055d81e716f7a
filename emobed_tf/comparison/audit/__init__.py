"""Whether a gain is transfer between modalities: controls, and a verdict."""
