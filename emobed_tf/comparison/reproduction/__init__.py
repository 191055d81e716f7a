"""The paper's tables on one's own data."""
