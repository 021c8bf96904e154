"""From a person's own runs to the next setting: the runs, the surface, what it says."""
