"""The side of the meter that runs beside a stranger: arrays without values, and their namespace."""
