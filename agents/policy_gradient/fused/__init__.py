"""Updates in one compiled call. Only `fitting` is imported before it is known to be used."""
