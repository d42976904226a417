"""Pictures of what models imagine: grids, charts, paths through the latents."""
