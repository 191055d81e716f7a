"""What serves an exported model, and what asks it."""
