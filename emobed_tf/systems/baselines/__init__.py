"""What the paper compares EmoBed with, one small module each."""
