"""The learning rates that a schedule gives."""


def walk(optimizer, scheduler, epochs):
    """The rates of the next `epochs` epochs."""
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates
