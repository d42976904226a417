"""Where runs are computed: in processes here, on a Ray cluster, by Slurm; they need not know."""
