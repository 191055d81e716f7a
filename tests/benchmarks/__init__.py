"""What `make bench` measures, beside others, for docs/benchmarks.md.

`__main__` runs the sections: training, mining, many, reading, startup. A section starts its sides as workers, processes
of their own, the peers' in an environment of their own. They do one repeat whenever the driver asks for one, so that
sides take turns and never run at the same time. A module NAME_tf, NAME_torch, … is a worker of section NAME.
"""
