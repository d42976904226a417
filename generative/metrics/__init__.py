"""How good a generative model is: likelihood, codes, samples. One idea a file."""
