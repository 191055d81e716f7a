"""Tables of systems on the data's own partitions: the plan, the fits, and what is written of them."""
